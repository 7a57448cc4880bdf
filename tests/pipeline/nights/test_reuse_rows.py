"""Reused rows equal those of scoring every document."""

import dataclasses
from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.config.sections import ColumnsConfig, Config, ScoringConfig
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import write_model

FIRST, SECOND = "2026-11-19", "2026-11-20"


@pytest.fixture
def nights(tmp_path: Path, model: str) -> Nights:
    """Two nights. On the second, 2 of 40 documents have changed, 3 are gone, and 4 are new.

    One of the changed documents now has the text of another one.
    """
    made = Nights(folder=tmp_path, model=model)
    rows = [{**row, "kept": f"k{at}"} for at, row in enumerate(make_rows(40))]
    made.write(rows, date=FIRST)
    rows[3]["text"], rows[17]["text"] = "changed", rows[18]["text"]
    rows = [{**row, "kept": "new"} for row in rows[::-1] if row["id"] not in ("d1", "d20", "d39")]
    made.write([*rows, *({**row, "kept": "x"} for row in make_rows(4, first=100))], date=SECOND)
    return made


def scoring_config(nights: Nights, date: str, **scoring: object) -> Config:
    config = nights.config(date)
    columns = ColumnsConfig(id="id", keep=("kept",))
    return dataclasses.replace(
        config,
        corpus=dataclasses.replace(config.corpus, columns=columns),
        scoring=ScoringConfig(**scoring),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "reuse_from", ["previous", pytest.param(FIRST, marks=pytest.mark.distributed)]
)
def test_reused_rows_equal_scored_ones(nights: Nights, reuse_from: str) -> None:
    nights.score(date=FIRST, config=scoring_config(nights, FIRST))
    nights.score(date=SECOND, config=scoring_config(nights, SECOND))
    expected = nights.table(SECOND)
    run = nights.score(date=SECOND, config=scoring_config(nights, SECOND), reuse_from=reuse_from)
    assert nights.table(SECOND).equals(expected)
    reuse = {name: run.manifest["reuse"][name] for name in ("carried", "scored", "removed")}
    assert reuse == {"carried": 35, "scored": 6, "removed": 3}
    assert run.manifest["rows"]["used"] == 41


def test_without_an_earlier_night_everything_is_scored(nights: Nights) -> None:
    run = nights.score(date=SECOND, reuse_from="previous")
    assert "reuse" not in run.manifest
    assert nights.table(SECOND).num_rows == 41
    with pytest.raises(ConfigError, match="--reuse-from 2026-11-01: expected a complete"):
        nights.score(date=SECOND, reuse_from="2026-11-01")


@pytest.mark.distributed
def test_nothing_is_reused_with_another_config_or_model(nights: Nights, tmp_path: Path) -> None:
    nights.score(date=FIRST, config=scoring_config(nights, FIRST))
    other = scoring_config(nights, SECOND, engine="keras")
    assert "reuse" not in nights.score(date=SECOND, config=other, reuse_from=FIRST).manifest
    retrained = dataclasses.replace(nights, model=write_model(tmp_path / "other"))
    run = retrained.score(date=SECOND, config=scoring_config(nights, SECOND), reuse_from=FIRST)
    assert "reuse" not in run.manifest
