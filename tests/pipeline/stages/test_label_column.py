"""A label column that no row has is named before, and with the columns that there are."""

import dataclasses
from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.stages.label_column import find_missing_labels
from pipeline.stages.prepare import prepare
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.pipeline.stages.good_and_bad import good_and_bad

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


def test_unlabeled_files_need_none(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "u.jsonl", [{"text": "good"}])
    values = {"corpus": {"inputs": [{"path": path, "split": "unlabeled"}]}}
    assert (
        find_missing_labels(build_config(values, [], where="t").corpus, files=BeamFiles()) is None
    )
