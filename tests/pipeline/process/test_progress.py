import logging
import threading
from collections.abc import Iterator

import pytest

from pipeline.process import progress


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The lines of the log; each `advance` logs one."""
    heard: list[str] = []

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    handler, before = Hearing(), progress.logger.level
    progress.logger.addHandler(handler)
    progress.logger.setLevel(logging.INFO)
    yield heard
    progress.logger.setLevel(before)
    progress.logger.removeHandler(handler)


def test_a_log_line_has_the_count_the_total_and_the_rate(lines: list[str]) -> None:
    with progress.shown("encode", total=3_000):
        progress.advance(1_000)
        progress.advance(200)
    assert lines[0].startswith("encode: 1,000 of 3,000 documents, ")
    assert lines[1].startswith("encode: 1,200 of 3,000 documents, ")
    assert lines[1].endswith(" documents/s")


def test_a_total_may_be_unknown(lines: list[str]) -> None:
    with progress.shown("train", unit="examples"):
        progress.advance(5)
    assert lines[0].startswith("train: 5 examples, ")


def test_a_log_line_comes_every_few_seconds_only(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 3_600.0)
    with progress.shown("encode"):
        progress.advance(1)
    assert lines == []


def test_nothing_is_counted_where_nothing_is_shown(lines: list[str]) -> None:
    progress.advance(1)
    with progress.shown("inner"):
        pass
    progress.advance(1)
    assert lines == []


def fail_inside() -> None:
    with progress.shown("inner"):
        progress.advance(10)
        raise ZeroDivisionError


def test_the_outer_count_goes_on_after_an_inner_one_that_failed(lines: list[str]) -> None:
    with progress.shown("outer"):
        progress.advance(1)
        with pytest.raises(ZeroDivisionError):
            fail_inside()
        progress.advance(1)
    assert [line.split(" documents")[0] for line in lines] == ["outer: 1", "inner: 10", "outer: 2"]


def test_threads_count_together(lines: list[str]) -> None:
    def work() -> None:
        for _ in range(200):
            progress.advance(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    with progress.shown("score"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lines[-1].startswith("score: 800 documents, ")


def test_a_person_sees_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: list[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress.shown("score", total=10):
        progress.advance(4)
    shown = capsys.readouterr().err
    assert "score" in shown
    assert "4/10" in shown
    assert lines == []
