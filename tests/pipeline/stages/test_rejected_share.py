"""The share of rejected rows that each command allows."""

import re
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq
import pytest

from pipeline.config.loading import build_config
from pipeline.corpora.formats.read_part import read_part
from pipeline.runners.execution import RunError
from pipeline.stages import corpus_pass
from pipeline.stages.evaluate import evaluate
from pipeline.stages.prepare import prepare
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
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


def bad_rows(rows: int) -> list[dict[str, str]]:
    return [{"id": f"e{row}", "text": ""} for row in range(rows)]


def test_a_broken_corpus_stops_early_with_the_message_of_the_end(
    tmp_path: Path, model: str
) -> None:
    nights = Nights(folder=tmp_path, model=model)
    nights.write(bad_rows(50_000), shards=4)
    message = (
        r"^Nothing was published: 100\.00% of the rows were rejected, expected at most 1\.00% "
        r"\(corpus\.max_rejected_fraction\): [24],000 of [24],000 rows: [24],000 empty_text "
        r"\(first: row 0 of \S+: .*\)\. "
        r"The run stopped after [24],000 rows: .* Read the first rejections in (?P<folder>\S+)\.$"
    )
    with pytest.raises(RunError, match=message) as raised:
        nights.score()
    found = re.match(message, str(raised.value))
    assert found
    [file] = Path(found["folder"]).iterdir()
    assert pq.read_table(file).num_rows == 2_000
    [manifest] = nights.manifests()
    assert manifest["status"] == "failed"
    assert manifest["error"] in str(raised.value)
    with pytest.raises(RunError, match=r"^Nothing was measured: 100.* The run stopped after"):
        evaluate(nights.config(), model=model, beam_options=[], files=BeamFiles())


def test_a_corpus_whose_bad_rows_come_first_is_read_to_its_end(tmp_path: Path, model: str) -> None:
    nights = Nights(folder=tmp_path, model=model)
    nights.write([*bad_rows(1_500), *make_rows(2_000)])
    run = nights.score(config=nights.config(max_rejected_fraction=0.5))
    assert run.manifest["rows"]["read"] == 3_500


def test_prepare_stops_early_too(tmp_path: Path) -> None:
    rows = [{"id": f"d{row}", "text": "", "label": "a"} for row in range(9_000)]
    path = write_json_lines(tmp_path / "rows.jsonl", rows)
    values = {"workspace": str(tmp_path / "runs"), "corpus": {"inputs": [{"path": path}]}}
    with pytest.raises(
        RunError, match=r"[24],000 empty_text .* The run stopped after [24],000 rows"
    ):
        prepare(build_config(values, [], where="the test"), beam_options=[], files=BeamFiles())
    [left] = (tmp_path / "runs" / "datasets").glob("*/rejected/*.parquet")
    assert pq.read_table(left).num_rows == 2_000
