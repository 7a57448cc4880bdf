"""Nights run by the command, as a schedule or a person starts it: backfills and skipped dates."""

import json
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.commands import run
from tests.pipeline.stages.nights import Nights, left_behind, make_rows
from tests.pipeline.tiny_model import write_model

pytestmark = pytest.mark.distributed

DATES = [f"2026-11-{day}" for day in range(16, 21)]
BAD = DATES[2]
EXPECTED = {
    "absent": f"/{BAD}/*.jsonl', got none",
    "a dead link": "a symbolic link whose target does not exist",
    "rejected": "of the rows were rejected",
}


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    made = Nights(folder=tmp_path, model=write_model(tmp_path / "model"))
    for at, date in enumerate(DATES):
        made.write(make_rows(30 + at), date=date, shards=2)
    return made


def command_of(nights: Nights, *flags: str) -> list[str]:
    config = nights.folder / "config.yaml"
    config.write_text(json.dumps({"corpus": {"columns": {"id": "id"}}}))
    return [
        *("score", "--model", nights.model, "--output", str(nights.output)),
        *("--config", str(config), "--input", f"{nights.folder}/corpus/{{date}}/*.jsonl"),
        *flags,
    ]


def damage(folder: Path, how: str) -> None:
    if how == "absent":
        shutil.rmtree(folder)
    elif how == "a dead link":
        (folder / "1.jsonl").unlink()
        (folder / "1.jsonl").symlink_to("unmounted")
    else:
        (folder / "1.jsonl").write_text('{"id": "no text"}\n' * 10)


@pytest.mark.parametrize("how", ["absent", "a dead link", "rejected"])
def test_a_backfill_with_one_bad_date_finishes_the_others(nights: Nights, how: str) -> None:
    damage(nights.folder / "corpus" / BAD, how)
    dates = ("--dates", f"{DATES[0]}..{DATES[-1]}")
    finished = run(*command_of(nights, *dates, "--log-format", "json"))
    assert finished.code == 1
    *_, error, last = map(json.loads, finished.err.splitlines())
    assert error["event"].startswith(f"error: 1 of 5 dates failed: {BAD}. ")
    assert [(night["date"], night["status"]) for night in last["runs"]] == [
        (date, "failed" if date == BAD else "done") for date in DATES
    ]
    assert EXPECTED[how] in last["runs"][2]["error"]
    told = [line.split()[:2] for line in finished.out.splitlines() if line.startswith("2026-")]
    assert told == [[date, "failed" if date == BAD else "done"] for date in DATES]
    for at, date in enumerate(DATES):
        if date != BAD:
            assert nights.table(date).num_rows == 30 + at
    assert not Path(nights.partition(BAD).predictions).exists()
    assert {Path(path).parent.name for path in left_behind(nights.output)} <= {"rejected"}

    before = {date: (Path(nights.partition(date).predictions) / "_SUCCESS").stat().st_mtime_ns
              for date in DATES if date != BAD}  # fmt: skip
    shutil.rmtree(nights.folder / "corpus" / BAD, ignore_errors=True)
    nights.write(make_rows(32), date=BAD)
    again = run(*command_of(nights, *dates, "--if-exists", "skip", "--log-format", "json"))
    assert again.code == 0
    assert nights.table(BAD).num_rows == 32
    assert left_behind(nights.output) == set()
    for date, moment in before.items():
        assert (Path(nights.partition(date).predictions) / "_SUCCESS").stat().st_mtime_ns == moment
    last = json.loads(again.err.splitlines()[-1])
    assert (last["last"], last["exit_code"]) == (True, 0)
    assert [(night["date"], night["status"]) for night in last["runs"]] == [
        (date, "done" if date == BAD else "skipped") for date in DATES
    ]

    shutil.rmtree(nights.output / "runs")  # as a person who deletes files would do
    assert run(*command_of(nights, *dates, "--if-exists", "skip")).code == 0


def test_a_skipped_night_reports_again_that_its_gate_tripped(nights: Nights) -> None:
    for date in DATES[:2]:
        nights.write(make_rows(450), date=date)
    nights.write([{"id": f"s{row}", "text": "short"} for row in range(450)], date=BAD)
    dates = ("--dates", f"{DATES[0]}..{BAD}", "--set", "drift.on_drift=alert")
    assert run(*command_of(nights, *dates)).code == 3
    skip = ("--set", "drift.on_drift=alert", "--if-exists", "skip")
    tripped, calm = (run(*command_of(nights, *skip, "--date", date)) for date in (BAD, DATES[1]))
    assert (tripped.code, calm.code) == (3, 0)
    assert "skipped" in tripped.out
