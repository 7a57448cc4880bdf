"""The share of rejected rows that each command allows."""

from pathlib import Path

import pytest

from pipeline.runners.execution import RunError
from pipeline.stages.evaluate import evaluate
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import Nights, make_rows


def test_evaluate_measures_nothing_if_too_many_rows_are_rejected(
    tmp_path: Path, model: str
) -> None:
    nights = Nights(folder=tmp_path, model=model)
    labeled = [{**row, "label": "pos"} for row in make_rows(90)]
    nights.write([*labeled, *({"id": f"e{row}", "text": ""} for row in range(10))])
    config = nights.config()
    message = r"^Nothing was measured: 10\.00% of the rows were rejected \(10 empty_text\)"
    with pytest.raises(RunError, match=message):
        evaluate(config, model=model, beam_options=[], files=BeamFiles())


def test_a_bad_row_does_not_stop_a_small_night(tmp_path: Path, model: str) -> None:
    nights = Nights(folder=tmp_path, model=model)
    nights.write([*make_rows(98), {"id": "empty", "text": ""}])
    assert nights.score().manifest["rows"]["rejected"] == {"empty_text": 1}
    assert nights.table().num_rows == 98
    nights.write([*make_rows(93), *({"id": f"empty{row}", "text": ""} for row in range(6))])
    with pytest.raises(RunError, match=r"6\.06% of the rows were rejected"):
        nights.score()
