"""The share of rejected rows that each command allows."""

from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.corpora.formats.read_part import read_part
from pipeline.runners.execution import RunError
from pipeline.stages import corpus_pass
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
    message = r"^Nothing was measured: 10\.00% of the rows were rejected, .*: 10 empty_text"
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


class WatchedFiles(BeamFiles):
    """Notes, whenever a file of the corpus is opened, how many files of rejections there are."""

    def __init__(self, output: Path) -> None:
        self.output = output

    def open(self, path: str) -> BinaryIO:
        if "/corpus/" in path:
            SEEN.append(len(list(self.output.glob("runs/*/staging/rejected/*"))))
        return super().open(path)


SEEN: list[int] = []  # by all copies that workers make


def test_rejections_are_written_while_the_corpus_is_read(tmp_path: Path, model: str) -> None:
    """Nothing gathers them: memory does not grow with their number."""
    nights = Nights(folder=tmp_path, model=model)
    SEEN.clear()
    nights.write([{"id": f"e{row}", "text": ""} for row in range(9_000)], shards=3)
    run = nights.score(
        config=nights.config(max_rejected_fraction=1), files=WatchedFiles(nights.output)
    )
    assert run.manifest["rows"]["rejected"] == {"empty_text": 9_000}
    assert SEEN[-1] == 1


def test_the_page_shows_examples_from_all_row_groups(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_pass, "REJECTED_ROW_GROUP_BYTES", 1)
    monkeypatch.setitem(read_part.__kwdefaults__, "batch_rows", 2)
    nights = Nights(folder=tmp_path, model=model)
    bad = [{"id": f"blank-{row}", "text": ""} for row in range(7)]
    nights.write([*bad, {"id": "absent"}, {"id": "too late", "text": ""}])
    run = nights.score(config=nights.config(max_rejected_fraction=1))
    page = Path(run.folder, "report.html").read_text(encoding="utf-8")
    assert [name for name in ("blank-0", "blank-2", "absent") if name not in page] == []
    assert [name for name in ("blank-3", "too late") if name in page] == []
