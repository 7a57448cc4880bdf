"""The command writes what its parts measured, also of parts that fail or take too long."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gpu import run

OPTIONS = run.Options(data=None, tiny=True, seconds=60)


@pytest.fixture(autouse=True)
def environment_of_before() -> Iterator[None]:
    """The command sets variables for its parts, which other tests must not see."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_part_is_written_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "results.json"
    monkeypatch.setattr(sys, "argv", ["run", "--output", str(output), "--only", "environment"])
    run.main()
    [values] = json.loads(output.read_text()).values()
    assert values["backend"] in ("cpu", "gpu")
    assert "error" not in values


def test_a_part_that_fails_reports_its_error() -> None:
    [(name, value)] = run.run_part("no_such_part", OPTIONS)
    assert name == "error"
    assert "no_such_part" in value


def test_a_part_is_stopped_when_its_time_is_up() -> None:
    short = run.Options(data=None, tiny=True, seconds=1)
    assert dict(run.run_part("parity", short))["error"] == "stopped after 1 s"
