"""No row is rejected for a column that a command does not need, in any format that has columns."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, Config, CorpusConfig
from pipeline.corpora.reading.failures import describe
from pipeline.corpora.scoring.comparison import Gates
from pipeline.runners.execution import RunError
from pipeline.stages.compare import compare
from pipeline.stages.evaluate import evaluate
from pipeline.stages.score import score
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.nights import Nights

ROWS = 12
COLUMNS = ColumnsConfig(
    id="id",
    labels="topics",
    probabilities="teacher",
    weight="heavy",
    rationale="why",
    split="fold",
    group="author",
    keep=("lang",),
)
# Values that these fields refuse.
JUNK: dict[str, Any] = {
    "label": 4.5,
    "topics": "sports",
    "teacher": [2.5],
    "heavy": -1,
    "why": "not a part of the text",
    "fold": "holdout",
    "author": [1],
}


@pytest.fixture
def nights(tmp_path: Path, model: str) -> Nights:
    return Nights(folder=tmp_path, model=model)


def make_rows() -> list[dict[str, Any]]:
    return [{"id": f"r{row}", "text": f"good n{row}", "lang": "en", **JUNK} for row in range(ROWS)]


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_tfrecord(path: Path, rows: list[dict[str, Any]]) -> None:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            feature = {name: _feature(value) for name, value in row.items()}
            feature["unnamed"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"\xff"]))
            features = tf.train.Features(feature=feature)
            writer.write(tf.train.Example(features=features).SerializeToString())


def _feature(value: Any) -> tf.train.Feature:
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], str):
        encoded = [each.encode() for each in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


WRITERS = {
    "jsonl": write_json_lines,
    "csv": write_csv,
    "parquet": write_parquet,
    "tfrecord": write_tfrecord,
}


def config_of(path: Path, **columns: Any) -> Config:
    item = InputConfig(path=str(path), format=path.suffix[1:])  # type: ignore[arg-type]
    return Config(
        workspace=str(path.parent / "runs"),
        corpus=CorpusConfig(inputs=(item,), columns=dataclasses.replace(COLUMNS, **columns)),
    )


@pytest.mark.parametrize("kind", WRITERS)
def test_scoring_reads_text_id_and_kept_columns_alone(
    nights: Nights, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"rows.{kind}"
    WRITERS[kind](path, make_rows())
    run = score(
        config_of(path),
        model=nights.model,
        partition=nights.partition(),
        beam_options=[],
        files=BeamFiles(),
    )
    assert run.manifest["rows"] == {"read": ROWS, "used": ROWS, "rejected": {}}
    table = nights.table()
    assert table.column("document_id").to_pylist() == sorted(f"r{row}" for row in range(ROWS))
    assert set(table.column("lang").to_pylist()) == {"en"}


def test_evaluating_reads_the_true_labels_too(nights: Nights, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = make_rows()
    for number, row in enumerate(rows):
        row["answer"] = "long" if number % 2 else "short"
    rows[3]["answer"] = 4.5
    write_json_lines(path, rows)
    config = config_of(path, label="answer")  # the floor allows one rejected row
    measured = evaluate(config, model=nights.model, beam_options=[], files=BeamFiles())
    assert measured.rows == {"read": ROWS, "used": ROWS - 1, "rejected": {"malformed_row": 1}}
    assert measured.metrics["rows"] == ROWS - 1


def test_comparing_can_do_without_labels(nights: Nights, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_json_lines(path, make_rows())

    def compared(**columns: Any) -> dict[str, Any]:
        return compare(
            config_of(path, **columns),
            old=nights.model,
            new=nights.model,
            output=str(tmp_path / "compared"),
            gates=Gates(),
            beam_options=[],
            files=BeamFiles(),
        ).comparison

    with pytest.raises(RunError, match=r"compare needs no labels \(corpus\.columns\.label=null\)"):
        compared()
    assert compared(label=None)["documents"] == ROWS


def test_a_rejected_row_shows_what_was_read_of_it(nights: Nights, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_parquet(path, [*make_rows(), {"id": "bad", "text": None, "lang": "en", **JUNK}])
    config = config_of(path)
    allowing = dataclasses.replace(config.corpus, max_rejected_fraction=0.5)
    run = score(
        dataclasses.replace(config, corpus=allowing),
        model=nights.model,
        partition=nights.partition(),
        beam_options=[],
        files=BeamFiles(),
    )
    [part] = Path(run.partition.rejected).glob("*.parquet")
    [rejected] = pq.ParquetFile(part).read().to_pylist()
    assert json.loads(rejected["raw"]) == {"text": None, "id": "bad", "lang": "en"}
    detail = f"expected text in 'text', got {describe(None)}"
    assert run.manifest["first_rejected"] == {"empty_text": ["rows.parquet", ROWS, detail]}
