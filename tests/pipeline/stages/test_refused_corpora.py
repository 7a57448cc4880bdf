"""Corpora that prepare refuses, each in one line."""

import dataclasses
from pathlib import Path

import pytest

from model.config import ConfigError
from pipeline.corpora.preparing.dataset import DatasetFiles, find_dataset
from pipeline.runners.execution import RunError
from pipeline.storage.files import read_json
from tests.pipeline.stages.small_corpus import (
    FILES,
    ROWS,
    Row,
    rejections_in,
    run,
    small_config,
    write_corpus,
)


def test_too_many_rejections_fail_the_run_and_are_kept(tmp_path: Path) -> None:
    rows = [*ROWS[:20], *({"id": f"bad{i}", "text": "x", "label": None} for i in range(3))]
    config = small_config(tmp_path / "failing", write_corpus(tmp_path / "bad", rows))
    with pytest.raises(RunError) as raised:
        run(config)
    message = str(raised.value)
    assert message.startswith(
        "Nothing was published: 13.04% of the rows were rejected, expected at most 5.00% "
        "(corpus.max_rejected_fraction): 3 of 23 rows, of which 2 may be: 3 unknown_label (first: "
        "row 20 of "
    )
    assert ": expected a label, got none). Some are shown in " in message
    [manifest] = (tmp_path / "failing/datasets").glob("*/manifest.json")
    folder = str(manifest.parent)
    assert find_dataset(FILES, folder) is None
    assert read_json(FILES, str(manifest))["status"] == "failed"
    lies = DatasetFiles(folder=folder)
    assert f"Some are shown in {lies.report}; all of them are in {lies.rejected}." in message
    assert "Do not use it" in Path(lies.report).read_text()
    assert {row["document_id"] for row in rejections_in(lies)} == {"bad0", "bad1", "bad2"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "expected documents in the training split, got none"),
        (
            [{"id": str(i), "text": f"t {i}", "label": "only"} for i in range(20)],
            "expected at least 2 labels in the training split, got only 'only'",
        ),
    ],
    ids=["empty", "one class"],
)
def test_a_corpus_that_cannot_be_learned_is_one_line(
    tmp_path: Path, rows: list[Row], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        run(small_config(tmp_path / "runs", write_corpus(tmp_path / "corpus", rows)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "text.min_frequency=1000",
            r"^text\.min_frequency: expected tokens that occur 1,000 times",
        ),
        ("corpus.columns.group=author", r"^corpus\.columns\.group: expected groups in .* 'author'"),
    ],
)
def test_settings_that_do_not_fit_the_corpus_fail_in_one_line(
    tmp_path: Path, override: str, message: str
) -> None:
    path = write_corpus(tmp_path / "corpus", ROWS)
    with pytest.raises(ConfigError, match=message) as raised:
        run(small_config(tmp_path / "runs", path, override))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("pattern", ["(", "x*"])
def test_a_pattern_that_cannot_be_used_is_refused_before_anything(
    tmp_path: Path, pattern: str
) -> None:
    config = small_config(tmp_path / "runs", write_corpus(tmp_path / "corpus", ROWS))
    text = dataclasses.replace(config.text, protected=(pattern,))
    with pytest.raises(ConfigError, match=r"text\.protected"):
        run(dataclasses.replace(config, text=text))
    assert not (tmp_path / "runs").exists()


def test_rejections_are_named_where_they_leave_nothing(tmp_path: Path) -> None:
    path = write_corpus(tmp_path / "corpus", [{**row, "text": " "} for row in ROWS])
    expected = (
        rf"in the training split, got none; rows were rejected: {len(ROWS):,} empty_text "
        r"\(first: row 0 of .*: expected text in 'text', got the string ' '\)\. Check the inputs"
    )
    with pytest.raises(ConfigError, match=expected):
        run(small_config(tmp_path / "runs", path))
