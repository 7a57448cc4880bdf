"""backfill scores many dates; a date that fails does not stop the others."""

from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.stages.backfill import backfill
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import write_model

DATES = [f"2026-11-{day}" for day in range(16, 21)]


def run_backfill(nights: Nights, path: str = "{date}", **options: object) -> list[tuple[str, str]]:
    found = backfill(
        nights.config(path),
        DATES,
        model=nights.model,
        output=str(nights.output),
        beam_options=[],
        files=BeamFiles(),
        **options,  # type: ignore[arg-type]
    )
    return [(night.date, night.status) for night in found]


@pytest.mark.parametrize(
    "bad",
    [
        "absent",
        pytest.param("empty", marks=pytest.mark.distributed),
        pytest.param("rejected", marks=pytest.mark.distributed),
    ],
)
def test_a_date_that_fails_does_not_stop_the_others(tmp_path: Path, bad: str) -> None:
    nights = Nights(folder=tmp_path, model=write_model(tmp_path / "model"))
    for at, date in enumerate(DATES):
        nights.write(make_rows(3 + at), date=date)
    if bad == "absent":
        (tmp_path / "corpus/2026-11-18/0.jsonl").unlink()
    else:
        nights.write([] if bad == "empty" else [{"id": "1"}], date="2026-11-18")
    expected = [(date, "failed" if date == "2026-11-18" else "done") for date in DATES]
    assert run_backfill(nights) == expected
    for at, date in enumerate(DATES):
        if date != "2026-11-18":
            assert nights.table(date).num_rows == 3 + at
    assert not Path(nights.partition("2026-11-18").predictions).exists()

    nights.write(make_rows(9), date="2026-11-18")
    again = run_backfill(nights, if_exists="skip")
    assert again == [(date, "done" if date == "2026-11-18" else "skipped") for date in DATES]


def test_an_input_without_a_date_in_its_path_is_refused(tmp_path: Path) -> None:
    nights = Nights(folder=tmp_path, model=write_model(tmp_path / "model"))
    with pytest.raises(ConfigError, match=r"--dates: expected \{date\} in an input"):
        run_backfill(nights, "2026-11-16")
