"""A teacher's probabilities: read from every format, and trained on alone or beside labels."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.bundle.loading import load_bundle
from model.scoring.loading import load_scorer
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.stages.prepare import prepare
from pipeline.stages.train import train
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.good_and_bad import good_and_bad
from tests.pipeline.stages.small_corpus import serialized

pytestmark = pytest.mark.long

Row = dict[str, Any]


def make_rows(texts: int) -> list[Row]:
    """Texts whose first word tells the probabilities; the label is left to the tests."""
    return [
        {
            "text": f"{word} number {row} of many",
            "probabilities": {"pos": sure, "neg": round(1 - sure, 2)},
            "likely": "pos" if sure > 0.5 else "neg",
        }
        for row in range(texts)
        for word, sure in (("good", 0.9), ("bad", 0.1))
    ]


def make_config(folder: Path, rows: list[Row], **training: object) -> Config:
    values = good_and_bad(folder, texts=1, learning_rate=0.05, **training)
    path = write_json_lines(folder / "soft.jsonl", rows)
    named = {name for row in rows for name in row}
    columns = {name: name for name in ("probabilities", "split") if name in named}
    values["corpus"] = {"inputs": [{"path": path}], "columns": columns}
    return build_config(values, [], where="the test")


def probability_of_pos(folder: str, text: str) -> float:
    scored, _ = load_scorer(load_bundle(folder)).score(pa.array([text]))
    return float(scored.column("probabilities")[0].as_py()[1])


def test_a_corpus_of_soft_labels_alone_is_trained_on(tmp_path: Path) -> None:
    config = make_config(tmp_path, make_rows(60), epochs=8)
    trained = train(config, beam_options=[], files=BeamFiles(), command="the command")
    assert trained.dataset.labels == ("neg", "pos")
    assert trained.best.metrics == {}  # no label tells what is right
    split = trained.dataset.statistics["splits"]["train"]
    assert split["soft_labels"] == split["without_label"] == split["documents"]
    assert probability_of_pos(trained.folder, "good number 3 of many") == pytest.approx(
        0.9, abs=0.1
    )
    assert probability_of_pos(trained.folder, "bad number 3 of many") == pytest.approx(0.1, abs=0.1)


def test_metrics_are_those_of_the_documents_with_a_label(tmp_path: Path) -> None:
    rows = [
        {**row, **({"label": row["likely"]} if index % 3 else {}), "split": split}
        for split, texts in (("train", 40), ("validation", 10), ("test", 10))
        for index, row in enumerate(make_rows(texts))
    ]
    del rows[1]["probabilities"]  # has only a label
    config = make_config(tmp_path, rows, epochs=6)
    trained = train(config, beam_options=[], files=BeamFiles(), command="the command")
    labeled = {
        split: count["documents"] - count["without_label"]
        for split, count in trained.dataset.statistics["splits"].items()
    }
    for split in ("validation", "test"):
        assert trained.best.metrics[split]["rows"] == labeled[split] > 0
        assert trained.best.metrics[split]["accuracy"] == 1


def write_csv(path: Path, rows: list[Row]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "probabilities"])
        for row in rows:
            writer.writerow([row["text"], json.dumps(row["probabilities"])])
    return str(path)


def write_parquet(path: Path, rows: list[Row], kind: pa.DataType) -> str:
    values = [
        list(row["probabilities"].items()) if pa.types.is_map(kind) else row["probabilities"]
        for row in rows
    ]
    table = {"text": [row["text"] for row in rows], "probabilities": pa.array(values, kind)}
    pq.write_table(pa.table(table), path)
    return str(path)


def test_every_format_gives_the_same_examples(tmp_path: Path) -> None:
    rows = make_rows(20)
    struct = pa.struct([("neg", pa.float64()), ("pos", pa.float64())])
    paths = {
        "jsonl": write_json_lines(tmp_path / "corpus.jsonl", rows),
        "csv": write_csv(tmp_path / "corpus.csv", rows),
        "struct": write_parquet(tmp_path / "corpus.parquet", rows, struct),
        "map": write_parquet(tmp_path / "map.parquet", rows, pa.map_(pa.string(), pa.float64())),
    }
    found = {}
    for kind, path in paths.items():
        values = {
            "workspace": str(tmp_path / kind),
            "corpus": {
                "inputs": [{"path": path, "format": path.rsplit(".", 1)[1]}],
                "columns": {"id": "text", "probabilities": "probabilities"},
            },
        }
        config = build_config(values, [], where="the test")
        found[kind] = serialized(prepare(config, beam_options=[], files=BeamFiles()))
    assert found["csv"] == found["struct"] == found["map"] == found["jsonl"]
    assert len(found["jsonl"]) == 40
