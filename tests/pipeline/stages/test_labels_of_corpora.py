"""What becomes of the labels of whole corpora: prepare's classes and notes, evaluate's counts."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, Config, CorpusConfig
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.runners.execution import RunError
from pipeline.stages.evaluate import evaluate
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.small_corpus import run, small_config

ROWS = 90


def text(row: int) -> str:
    return f"ticket number {row} of {random.Random(row).random()}"  # noqa: S311


def write(path: Path, labels: list[Any], *, ids: list[str] | None = None) -> Path:
    """A corpus in the format of the file's ending; label by label from the first row on."""
    ids = ids or [f"r{row}" for row in range(ROWS)]
    rows = [
        {"id": ids[row % len(ids)], "text": text(row), "label": labels[row % len(labels)]}
        for row in range(ROWS)
    ]
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.DictWriter(sink, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


def prepare(path: Path, *overrides: str, **settings: Any) -> Dataset:
    given = {"path": str(path), "format": path.suffix[1:], **settings}
    return run(small_config(path.parent / "runs", given, *overrides))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_whole_floats_are_integer_classes_in_every_format(tmp_path: Path, ending: str) -> None:
    dataset = prepare(write(tmp_path / f"corpus.{ending}", [0.0, 1.0]))
    assert dataset.labels == ("0", "1")
    assert dataset.manifest["rows"]["used"] == ROWS


def test_integers_floats_and_text_of_one_number_are_one_class(tmp_path: Path) -> None:
    assert prepare(write(tmp_path / "corpus.jsonl", [1, 1.0, "1", 2, 2.0])).labels == ("1", "2")


def test_blanks_are_dropped_and_other_variants_are_noted(tmp_path: Path) -> None:
    labels = ["Sports", " Sports", "Sports\t", "sports", "caf\u00e9", "cafe\u0301"]
    dataset = prepare(write(tmp_path / "corpus.csv", labels))
    assert set(dataset.labels) == {"Sports", "sports", "caf\u00e9", "cafe\u0301"}
    [note] = [each for each in dataset.statistics["warnings"] if "differ" in each]
    assert "'cafe\\u0301' (15), 'caf\u00e9' (15); 'Sports' (45), 'sports' (15)." in note


NULLS = ["pos", "neg", "pos", "neg", "\\N"]


def test_texts_for_no_value_are_noted_as_classes(tmp_path: Path) -> None:
    dataset = prepare(write(tmp_path / "corpus.csv", NULLS))
    assert dataset.labels == ("\\N", "neg", "pos")
    [note] = [each for each in dataset.statistics["warnings"] if "look like" in each]
    assert note.endswith("write into the input: null_values: ['\\N'].")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_null_values_are_no_labels(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"corpus.{ending}", NULLS)
    dataset = prepare(
        path, "corpus.max_rejected_fraction=0.2", null_values=["\\N"], column_names=None
    )
    assert dataset.labels == ("neg", "pos")
    assert dataset.manifest["rows"]["rejected"] == {"unknown_label": ROWS // 5}


def test_ids_that_look_like_no_value_are_named_where_they_fail_the_run(tmp_path: Path) -> None:
    path = write(tmp_path / "corpus.csv", ["a", "b"], ids=["\\N"])
    with pytest.raises(RunError) as raised:
        prepare(path)
    message = str(raised.value)
    assert "89 duplicate_id (first: row 1 of " in message
    assert ": expected a unique id, got '\\N', the id of an earlier row). Ids look like" in message
    assert (
        f"'\\N' ({ROWS}). If they are none, write into the input: null_values: ['\\N']" in message
    )
    assert prepare(path, null_values=["\\N"]).manifest["rows"]["used"] == ROWS


@pytest.mark.parametrize("junk", [4.5, ["a"], {"b": 1}])
def test_the_label_of_an_unlabeled_document_is_not_read(tmp_path: Path, junk: Any) -> None:
    rows = [
        {"id": f"r{row}", "text": text(row), "label": "ab"[row % 2], "fold": "train"}
        for row in range(ROWS)
    ]
    for row in rows[::3]:
        row |= {"label": junk, "fold": "unlabeled"}
    path = Path(write_json_lines(tmp_path / "corpus.jsonl", rows))
    dataset = prepare(path, "corpus.columns.split=fold")
    assert dataset.rows("unlabeled") == ROWS // 3
    assert dataset.labels == ("a", "b")


def config_to_evaluate(path: Path) -> Config:
    corpus = CorpusConfig(
        inputs=(InputConfig(path=str(path)),),
        columns=ColumnsConfig(id="id"),
        max_rejected_fraction=0.5,
    )
    return Config(workspace=str(path.parent / "runs"), corpus=corpus)


def test_labels_that_the_model_does_not_know_are_counted_by_name(
    tmp_path: Path, model: str
) -> None:
    path = write(tmp_path / "corpus.jsonl", ["long", "short", "other", "", "other", " short "])
    config = config_to_evaluate(path)
    measured = evaluate(config, model=model, beam_options=[], files=BeamFiles())
    assert measured.rows == {"read": ROWS, "used": ROWS, "rejected": {}}
    assert measured.metrics["unknown_labels"] == {"other": ROWS // 3}
    assert measured.metrics["unlabeled"] == ROWS // 2
    assert measured.metrics["rows"] == ROWS // 2


def test_a_corpus_of_unknown_labels_names_them(tmp_path: Path, model: str) -> None:
    config = config_to_evaluate(write(tmp_path / "corpus.jsonl", ["Long", "Long", "Short"]))
    with pytest.raises(ConfigError, match=r"\(long, short\), got 'Long' \(60\), 'Short' \(30\)\."):
        evaluate(config, model=model, beam_options=[], files=BeamFiles())
