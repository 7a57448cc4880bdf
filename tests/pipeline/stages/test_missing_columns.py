"""Columns that no row has are refused or noted, with the columns that there are."""

import dataclasses
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from model.config import ConfigError
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.corpora.formats.read_part import BATCH_ROWS
from pipeline.corpora.scoring.comparison import Gates
from pipeline.nights.partition import Partition
from pipeline.stages.compare import compare
from pipeline.stages.evaluate import evaluate
from pipeline.stages.missing_columns import find_missing_labels
from pipeline.stages.prepare import prepare
from pipeline.stages.score import score
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.good_and_bad import good_and_bad
from tests.pipeline.tiny_model import LABELS

SAID = (
    r"corpus\.jsonl: expected labels in the column 'sentiment', got none in the first rows "
    r"\(columns found: text, label\)\. Check corpus\.columns\.label\."
)


def config_with_label(folder: Path, label: str) -> Config:
    config = build_config(good_and_bad(folder, texts=20), [], where="the test")
    columns = dataclasses.replace(config.corpus.columns, label=label)
    return dataclasses.replace(config, corpus=dataclasses.replace(config.corpus, columns=columns))


def test_json_lines(tmp_path: Path) -> None:
    files = BeamFiles()
    assert find_missing_labels(config_with_label(tmp_path, "label").corpus, files=files) is None
    config = config_with_label(tmp_path, "sentiment")
    with pytest.raises(ConfigError, match=SAID) as raised:
        prepare(config, beam_options=[], files=files)
    assert str(raised.value) == find_missing_labels(config.corpus, files=files)


def test_csv_names_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\ngood,pos\n")
    inputs = [{"path": str(tmp_path / "a.csv"), "format": "csv"}]
    values = {"corpus": {"inputs": inputs, "columns": {"label": "x"}}}
    corpus = build_config(values, [], where="the test").corpus
    said = find_missing_labels(corpus, files=BeamFiles())
    assert said is not None
    assert "expected labels in the column 'x', got none" in said
    assert "(columns found: text, label)" in said


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", 'text,"a, b. c"\ngood,1\n', "text, a, b. c"),
        ("a.jsonl", '{"user": {"name": 1}, "text": "say \\"hi\\": 3"}\n', "user, text"),
        ("a.jsonl", '{"text": "' + 2000 * "a" + '", "b": 1}\n', "text"),
    ],
)
def test_columns_are_named_as_the_file_spells_them(
    tmp_path: Path, name: str, content: str, found: str
) -> None:
    (tmp_path / name).write_text(content)
    values = {"corpus": {"inputs": [{"path": str(tmp_path / name)}]}}
    said = find_missing_labels(build_config(values, [], where="t").corpus, files=BeamFiles())
    assert said is not None
    assert f"(columns found: {found})." in said


def test_without_a_named_column_the_key_is_named(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "u.jsonl", [{"text": "good", "mood": "pos"}])
    values = {"corpus": {"inputs": [{"path": path}], "columns": {"label": None}}}
    said = find_missing_labels(build_config(values, [], where="t").corpus, files=BeamFiles())
    assert said == (
        "corpus.columns.label: expected the column of the labels, got null (columns found: text, "
        "mood). Name it, or set corpus.columns.labels or corpus.columns.probabilities."
    )


def test_unlabeled_files_need_none(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "u.jsonl", [{"text": "good"}])
    values = {"corpus": {"inputs": [{"path": path, "split": "unlabeled"}]}}
    assert (
        find_missing_labels(build_config(values, [], where="t").corpus, files=BeamFiles()) is None
    )


ID_REFUSED = (
    r"corpus\.columns\.id: expected the column 'ID' in .*\.jsonl, got none in .*2 documents "
    r"\(columns found: id, text, label\)\. Name the right one, or set corpus\.columns\.id=null: "
    r"ids are then the name of the file and the number of the row\."
)


def config_of_rows(folder: Path, *files: list[dict[str, Any]], **columns: Any) -> Config:
    for number, rows in enumerate(files):
        write_json_lines(folder / f"{number}.jsonl", rows)
    values = {
        "workspace": str(folder / "runs"),
        "corpus": {"inputs": [{"path": str(folder / "*.jsonl")}], "columns": columns},
    }
    return build_config(values, [], where="the test")


def labeled_rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"r{row}", "text": f"good text {row}", "label": LABELS[row % 2], **more}
        for row in range(count)
    ]


def run_command(command: str, config: Config, *, model: str, output: str) -> Mapping[str, Any]:
    """Runs a command and returns the `rows` of its manifest."""
    files = BeamFiles()
    if command == "prepare":
        return prepare(config, beam_options=[], files=files).manifest["rows"]
    if command == "score":
        partition = Partition(output=output, date="2026-11-20")
        run = score(config, model=model, partition=partition, beam_options=[], files=files)
        return run.manifest["rows"]
    if command == "evaluate":
        return evaluate(config, model=model, beam_options=[], files=files).rows
    compared = compare(
        config, old=model, new=model, output=output, gates=Gates(), beam_options=[], files=files
    )
    return compared.comparison["rows"]


@pytest.mark.parametrize("command", ["prepare", "score", "evaluate", "compare"])
def test_an_id_that_no_row_has_is_refused(tmp_path: Path, model: str, command: str) -> None:
    config = config_of_rows(tmp_path, labeled_rows(2), id="ID")
    with pytest.raises(ConfigError, match=ID_REFUSED):
        run_command(command, config, model=model, output=str(tmp_path / "out"))
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_id_of_a_later_file_is_an_id(tmp_path: Path, model: str) -> None:
    without = [{"text": "no id"}, {"id": None, "text": "null"}, {"text": " "}]
    config = config_of_rows(tmp_path, without, labeled_rows(2), id="id")
    config = dataclasses.replace(
        config, corpus=dataclasses.replace(config.corpus, max_rejected_fraction=0.5)
    )
    measured = evaluate(config, model=model, beam_options=[], files=BeamFiles())
    assert measured.rows["notes"] == [
        "2 of 4 documents have no id in the column 'id': they are named by their file and row."
    ]


def test_an_id_behind_the_first_rows_is_an_id(
    tmp_path: Path, model: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": "no id", "label": LABELS[0]}] * (BATCH_ROWS + 1)
    config = config_of_rows(tmp_path, [*rows, *labeled_rows(1)], id="id")
    monkeypatch.setattr(logging.getLogger("limelight"), "propagate", True)
    measured = evaluate(config, model=model, beam_options=[], files=BeamFiles())
    assert measured.rows["notes"] == [
        f"{BATCH_ROWS + 1:,} of {BATCH_ROWS + 2:,} documents have no id in the column 'id': they "
        "are named by their file and row."
    ]
    [said] = [each for each in caplog.messages if "corpus.columns.id" in each]
    assert f"got none in the first {BATCH_ROWS:,} documents" in said
    assert said.endswith("If no later document has one either, the run fails.")
    config = config_of_rows(tmp_path, rows, id="id")
    refused = f"got none in {BATCH_ROWS + 1:,} documents"
    with pytest.raises(ConfigError, match=refused):
        evaluate(config, model=model, beam_options=[], files=BeamFiles())


def test_a_split_that_no_row_has_is_refused_before_anything_is_encoded(tmp_path: Path) -> None:
    config = config_of_rows(tmp_path, labeled_rows(20, split="train"), split="Split")
    said = r"corpus\.columns\.split: expected the column 'Split' in .*, got none in 20 documents"
    with pytest.raises(ConfigError, match=said):
        prepare(config, beam_options=[], files=BeamFiles())
    assert not list(tmp_path.rglob("*.tfrecord*"))


def test_a_split_of_the_last_rows_or_of_the_input_is_a_split(tmp_path: Path) -> None:
    rows = [*labeled_rows(40), {"text": "bad", "label": LABELS[0], "split": "test"}]
    config = config_of_rows(tmp_path, rows, split="split")
    dataset = prepare(config, beam_options=[], files=BeamFiles())
    assert dataset.manifest["rows"]["notes"] == [
        "40 of 41 documents have no split in the column 'split': their splits are drawn, with the "
        "shares of corpus.splits."
    ]
    (given,) = config.corpus.inputs
    inputs = (dataclasses.replace(given, split="train"),)
    columns = dataclasses.replace(config.corpus.columns, split="Split")
    corpus = dataclasses.replace(config.corpus, inputs=inputs, columns=columns)
    prepare(dataclasses.replace(config, corpus=corpus), beam_options=[], files=BeamFiles())


def test_other_columns_that_no_row_has_are_noted(tmp_path: Path) -> None:
    config = config_of_rows(tmp_path, labeled_rows(40), weight="wieght", keep=["lang"])
    dataset = prepare(config, beam_options=[], files=BeamFiles())
    assert dataset.manifest["rows"]["notes"] == [
        "corpus.columns.keep: expected the column 'lang', got none in 40 documents. "
        "Name the right one, or leave it out.",
        "corpus.columns.weight: expected the column 'wieght', got none in 40 documents. "
        "Name the right one, or leave it out.",
    ]


def test_values_that_others_have_are_noted(tmp_path: Path) -> None:
    whole = labeled_rows(20, split="train", weight=2, group="g")
    empty = labeled_rows(20, split=None, weight=float("nan"), group=" ")
    columns = {"split": "split", "weight": "weight", "group": "group"}
    config = config_of_rows(tmp_path, whole, empty, labeled_rows(10), **columns)
    dataset = prepare(config, beam_options=[], files=BeamFiles())
    assert sorted(dataset.manifest["rows"]["notes"]) == [
        "30 of 50 documents have no group in the column 'group': their splits, where none is "
        "given, are drawn by the text.",
        "30 of 50 documents have no split in the column 'split': their splits are drawn, with the "
        "shares of corpus.splits.",
        "30 of 50 documents have no weight in the column 'weight': they have the weight 1.",
    ]


def test_many_columns_that_no_row_has_are_one_short_note(tmp_path: Path, model: str) -> None:
    config = config_of_rows(tmp_path, labeled_rows(2), keep=[f"k{n}" for n in range(1500)])
    measured = evaluate(config, model=model, beam_options=[], files=BeamFiles())
    assert measured.rows["notes"] == [
        "corpus.columns.keep: expected the columns 'k0', 'k1', 'k10', 'k100', 'k1000' and 1,495 "
        "more, got none in 2 documents. Name the right ones, or leave them out."
    ]


def test_repeated_ids_are_noted(tmp_path: Path, model: str) -> None:
    files = [labeled_rows(3), labeled_rows(2)]
    measured = evaluate(
        config_of_rows(tmp_path, *files, id="id"), model=model, beam_options=[], files=BeamFiles()
    )
    assert measured.rows["used"] == 5
    assert measured.rows["notes"] == [
        "At least 2 documents have the id of an earlier one, so that document_id does not tell "
        "them apart. Files are compared where one worker reads them together."
    ]


@pytest.mark.parametrize("command", ["prepare", "score", "evaluate", "compare"])
def test_replaced_characters_are_counted_and_noted(
    tmp_path: Path, model: str, command: str
) -> None:
    lines = [json.dumps(row) for row in labeled_rows(24)]
    lines[0] = lines[0].replace("r0", "\\ud83d")  # half of a pair, in an id
    config = config_of_rows(tmp_path, [], id="id")
    text = "\n".join(lines).encode().replace(b"good text 3", b"caf\xe9")
    (tmp_path / "0.jsonl").write_bytes(text)
    inputs = (dataclasses.replace(config.corpus.inputs[0], errors="replace"),)
    config = dataclasses.replace(config, corpus=dataclasses.replace(config.corpus, inputs=inputs))
    rows = run_command(command, config, model=model, output=str(tmp_path / "out"))
    assert (rows["read"], rows["repaired"]) == (24, 2)
    [note] = [each for each in rows["notes"] if "U+FFFD" in each]
    assert note.startswith(f"In 2 rows of {tmp_path}/0.jsonl, U+FFFD replaces")
