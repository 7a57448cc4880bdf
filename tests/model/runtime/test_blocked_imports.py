import importlib
import json
import subprocess
import sys

import pytest

from model.runtime.blocked_imports import block_imports


def test_a_module_cannot_be_imported_in_the_block_and_can_be_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with block_imports("colorsys"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").ONE_THIRD


def test_a_module_imported_before_the_block_stays_available() -> None:
    with block_imports("json"):
        assert importlib.import_module("json") is json


def test_an_exception_in_the_block_ends_the_blocking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ZeroDivisionError), block_imports("colorsys"):
        1 / 0  # noqa: B018
    assert importlib.import_module("colorsys").ONE_THIRD


def test_kernels_do_not_import_scipy_and_others_still_can() -> None:
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
