import json
import logging
import sys

import pytest

from pipeline.process import logs
from pipeline.process.logs import (
    JsonLines,
    PlainLines,
    describe_run,
    log_end,
    naming_run,
    record_outcome,
)
from tests.end_to_end.commands import run


def record(message: str, *arguments: object, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("limelight", logging.INFO, "", 0, message, arguments, None)
    made.facts = facts
    return made


def test_any_text_fits_on_one_json_line() -> None:
    nasty = 'a\nb\x1b[31m "c" \u2028 日本 \x00\x7f'
    line = JsonLines().format(record("%s", nasty, rows=3))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    values = json.loads(line)
    assert (values["event"], values["level"], values["rows"]) == (nasty, "info", 3)
    assert values["run_id"] is None


def test_a_json_line_holds_the_id_of_the_innermost_run() -> None:
    with naming_run("one"):
        with naming_run("two"):
            assert json.loads(JsonLines().format(record("x")))["run_id"] == "two"
        assert json.loads(JsonLines().format(record("x")))["run_id"] == "one"
    assert json.loads(JsonLines().format(record("x")))["run_id"] is None


def test_control_characters_are_visible_in_plain_lines() -> None:
    formatted = PlainLines("%(message)s").format(record("a\x1b[31mb\nerror: c\u202e"))
    assert formatted == "a␛[31mb␊error: c\\u202e"


def test_a_traceback_keeps_its_lines_and_no_other_control_character() -> None:
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        failed = logging.LogRecord("limelight", 40, "", 0, "error", None, sys.exc_info())
    first, *_, last = PlainLines("%(message)s").format(failed).split("\n")
    assert (first, last) == ("error", "ValueError: ␛[2J")


@pytest.mark.parametrize(
    ("exit_code", "event"), [(0, "score: done"), (1, "score: failed"), (3, "score: done, but")]
)
def test_the_last_line_holds_the_exit_code_and_the_outcome_of_the_run(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    exit_code: int,
    event: str,
) -> None:
    monkeypatch.setattr(logs, "_outcomes", {})  # runs of other tests in this process
    manifest = {
        "status": "done",
        "rows": {"read": 3},
        "drift": {"differences": [], "warnings": ["The lengths"]},
        "config": {"long": "left out"},
    }
    logs.logger.propagate = True
    with caplog.at_level(logging.INFO, logger="limelight"):
        record_outcome("id", describe_run(manifest))
        log_end("score", exit_code=exit_code)
    values = json.loads(JsonLines().format(caplog.records[-1]))
    assert values["event"].startswith(event)
    assert values["last"] is True
    assert (values["run_id"], values["rows"], values["exit_code"]) == ("id", {"read": 3}, exit_code)
    assert values["drift"] == ["The lengths"]
    assert "config" not in values


def test_an_error_is_logged_as_json() -> None:
    finished = run("score", "--model", "nowhere", "--output", "x", "--log-format", "json")
    assert finished.code == 2
    *_, error, last = (json.loads(line) for line in finished.err.splitlines())
    assert error["level"] == "error"
    assert "nowhere" in error["event"]
    assert (last["exit_code"], last["last"]) == (2, True)
