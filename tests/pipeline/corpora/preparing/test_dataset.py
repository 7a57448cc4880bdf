import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from model.config import ResolvedTextConfig, to_plain
from pipeline.corpora.preparing.dataset import DatasetFiles, find_dataset
from pipeline.corpora.preparing.encoding import ExampleLayout
from pipeline.corpora.preparing.samples import Sample, samples_to_lines
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import write_json, write_text
from tests.pipeline import object_store

FILES = BeamFiles()
LAYOUT = ExampleLayout(weight=True)
TEXT = ResolvedTextConfig(max_tokens=24, reserved_tokens=("<e1>",))
SAMPLE = Sample(digest="0", split="test", document_id="d", text="a\u2028b", label=None)


def write_dataset(folder: str, *, status: str = "done") -> None:
    lies = DatasetFiles(folder=folder)
    manifest: dict[str, Any] = {
        "status": status,
        "layout": dataclasses.asdict(LAYOUT),
        "text": to_plain(TEXT),
        "config": {"text": {"max_tokens": "auto"}},
        "outputs": [
            {"file": "examples/test-00000-of-00001.tfrecord.gz"},
            {"file": "examples/train-00000-of-00002.tfrecord.gz"},
            {"file": "examples/train-00001-of-00002.tfrecord.gz"},
            {"file": "rejected/train-.parquet"},
        ],
    }
    write_json(FILES, lies.manifest, manifest)
    splits = {"train": {"documents": 5}, "test": {"documents": 1}}
    write_json(FILES, lies.statistics, {"labels": ["b", "a"], "splits": splits})
    write_text(FILES, lies.samples, samples_to_lines([SAMPLE]))


@pytest.fixture(params=["local", "objects"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    object_store.OBJECTS.clear()
    return str(tmp_path / "data") if request.param == "local" else "objects://bucket/data"


def test_a_complete_dataset_is_found(folder: str) -> None:
    write_dataset(folder)
    dataset = find_dataset(FILES, folder)
    assert dataset is not None
    assert dataset.reused
    assert dataset.labels == ("b", "a")
    assert dataset.layout == LAYOUT
    assert dataset.text == TEXT
    assert dataset.chose_max_tokens
    assert [dataset.rows(split) for split in ("train", "validation", "test")] == [5, 0, 1]
    assert dataset.shards("train") == [
        f"{folder}/examples/train-00000-of-00002.tfrecord.gz",
        f"{folder}/examples/train-00001-of-00002.tfrecord.gz",
    ]
    assert dataset.shards("validation") == []
    assert dataset.read_samples(FILES) == [SAMPLE]


def test_an_empty_folder_has_no_dataset(folder: str) -> None:
    assert find_dataset(FILES, folder) is None


@pytest.mark.parametrize("status", ["running", "failed"])
def test_an_incomplete_dataset_is_not_found(folder: str, status: str) -> None:
    write_dataset(folder, status=status)
    assert find_dataset(FILES, folder) is None


@pytest.mark.parametrize("torn", ["", '{"status": "do'])
def test_half_a_manifest_is_no_dataset(folder: str, torn: str) -> None:
    write_dataset(folder)
    write_text(FILES, DatasetFiles(folder=folder).manifest, torn)
    assert find_dataset(FILES, folder) is None


def test_a_dataset_can_be_moved(tmp_path: Path) -> None:
    write_dataset(str(tmp_path / "here"))
    shutil.move(tmp_path / "here", tmp_path / "there")
    dataset = find_dataset(FILES, str(tmp_path / "there"))
    assert dataset is not None
    assert all(path.startswith(str(tmp_path / "there")) for path in dataset.shards("train"))
    assert len(dataset.shards("train")) == 2
