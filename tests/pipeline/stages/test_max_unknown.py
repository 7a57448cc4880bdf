"""`scoring.max_unknown`: documents without an answer in a partition, its manifest and metrics."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, Config, CorpusConfig, OutputConfig
from pipeline.stages.evaluate import evaluate
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import join
from tests.json_lines import write_json_lines
from tests.pipeline.stages.nights import Nights

# The tiny model knows good, bad, so and poison. A blank text is rejected.
TEXTS = {
    "known": "good bad so",
    "third": "good bad what",
    "half": "so what",
    "most": "good hvor er det",
    "none": "很好",
    "blank": " ",
}
ABSTAINED = ["most", "none"]  # with a limit of 1/2


@pytest.fixture
def nights(tmp_path: Path, model: str) -> Nights:
    made = Nights(folder=tmp_path, model=model)
    rows = [{"id": name, "text": text} for name, text in TEXTS.items()]
    made.write(rows, shards=2)
    made.write(rows, date="2026-11-21")
    return made


def config(nights: Nights, date: str = "2026-11-20", **scoring: Any) -> Config:
    base = nights.config(date, max_rejected_fraction=0.5)
    return dataclasses.replace(base, scoring=dataclasses.replace(base.scoring, **scoring))


def test_the_manifest_counts_them_among_the_rows_used(nights: Nights) -> None:
    run = nights.score(config=config(nights, max_unknown=0.5))
    rows = run.manifest["rows"]
    assert rows == {"read": 6, "used": 5, "rejected": {"empty_text": 1}, "abstained": 2}
    assert rows["read"] == rows["used"] + sum(rows["rejected"].values())
    answered = {row["document_id"]: row["label"] for row in nights.table().to_pylist()}
    assert sorted(name for name, label in answered.items() if label is None) == ABSTAINED
    assert sum(run.manifest["labels"].values()) == sum(run.manifest["scores"].values()) == 3
    assert run.manifest["profile"]["documents"] == 5
    on_disk = json.loads(Path(join(run.folder, "manifest.json")).read_text(encoding="utf-8"))
    assert on_disk["rows"]["abstained"] == 2
    page = Path(join(run.folder, "report.html")).read_text(encoding="utf-8")
    assert "not answered: too many unknown tokens" in page
    assert "40.0% of the scored" in page


def test_without_the_key_every_document_is_answered(nights: Nights) -> None:
    run = nights.score(config=config(nights))
    assert "abstained" not in run.manifest["rows"]
    assert nights.table().column("label").null_count == 0
    page = Path(join(run.folder, "report.html")).read_text(encoding="utf-8")
    assert "Not answered" not in page


def test_the_answers_of_the_others_are_the_same(nights: Nights) -> None:
    nights.score(config=config(nights))
    every = nights.table()
    nights.score(config=config(nights, max_unknown=0.5))
    found = nights.table()
    answered = found.filter(found.column("label").is_valid())
    expected = every.filter(found.column("label").is_valid())
    assert answered.equals(expected)
    assert answered.num_rows == 3


def test_they_have_a_folder_where_labels_have_one_and_can_be_reused(nights: Nights) -> None:
    output = OutputConfig(partition_by="label")
    settings = {"max_unknown": 0.5, "min_score": 0.01, "output": output}
    nights.score(config=config(nights, **settings))
    first = Path(nights.partition().predictions)
    assert (first / "label=__HIVE_DEFAULT_PARTITION__").is_dir()
    again = config(nights, "2026-11-21", **settings)
    run = nights.score(date="2026-11-21", config=again, reuse_from="previous")
    assert run.manifest["reuse"]["carried"] == 5
    assert run.manifest["rows"]["abstained"] == 2
    assert run.manifest["below_min_score"] == 0


@pytest.mark.parametrize(
    ("limit", "rows", "coverage"), [(None, 5, None), (1.0, 5, 1.0), (0.5, 3, 0.6), (0.0, 1, 0.2)]
)
def test_evaluate_measures_the_answered_and_says_their_share(
    tmp_path: Path, model: str, limit: float | None, rows: int, coverage: float | None
) -> None:
    labeled = [
        {"id": name, "text": text, "label": "long" if len(text) > 8 else "short"}
        for name, text in TEXTS.items()
    ]
    unlabeled = {"id": "x", "text": "good", "label": None}
    write_json_lines(tmp_path / "corpus.jsonl", [*labeled, unlabeled])
    corpus = CorpusConfig(
        inputs=(InputConfig(path=str(tmp_path / "corpus.jsonl")),), columns=ColumnsConfig(id="id")
    )
    base = Config(workspace=str(tmp_path / "work"), corpus=corpus)
    measured = evaluate(
        dataclasses.replace(base, scoring=dataclasses.replace(base.scoring, max_unknown=limit)),
        model=model,
        beam_options=[],
        files=BeamFiles(),
    )
    assert measured.metrics["rows"] == rows
    assert measured.metrics.get("coverage") == coverage
    assert measured.metrics["unlabeled"] == 1
    assert measured.rows.get("abstained") == (None if limit is None else 5 - rows)
    assert sum(label["rows"] for label in measured.metrics["by_label"].values()) == rows
