import importlib
import json
import subprocess
import sys

import pytest

from model.runtime.imports import hidden


def test_a_hidden_module_is_not_found_and_then_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with hidden("colorsys"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").ONE_THIRD


def test_a_module_that_is_imported_stays() -> None:
    with hidden("json"):
        assert importlib.import_module("json") is json


def test_what_fails_in_the_block_leaves_nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ZeroDivisionError), hidden("colorsys"):
        1 / 0  # noqa: B018
    assert "colorsys" not in sys.modules


def test_kernels_import_no_scipy_and_leave_it_to_others() -> None:
    code = """
import sys, numpy
import model.text.tokens
assert "scipy" not in sys.modules
import numba
a = numpy.eye(2)
assert (numba.njit(lambda a: numpy.dot(a, a))(a) == a).all()
assert "scipy.linalg" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
