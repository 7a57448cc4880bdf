from collections import Counter
from pathlib import Path

import apache_beam as beam
import pytest

from pipeline.corpora.preparing.shards import plan_shards
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.staged_lists import read_staged_list
from pipeline.storage.staging import StagedFile
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.write_examples import WriteExamples
from tests.pipeline.examples import read_records
from tests.pipeline.transforms.local_beam import local_pipeline

# In the order in which a worker yields them: the batches of a unit one after another.
EXAMPLES = [
    (0, {"train": [b"0a", b"0b"], "test": [b"0t"]}),
    (0, {"train": [b"0c"]}),
    (0, {}),
    (1, {"train": [b"1a"] * 3}),
    (2, {"test": [b"2t" * 1_000]}),
]
BY_SPLIT = {"train": [b"0a", b"0b", b"0c", *[b"1a"] * 3], "test": [b"0t", b"2t" * 1_000]}


def write(
    folder: Path, examples: list[tuple[int, dict[str, list[bytes]]]], *, shards: int | None = None
) -> list[StagedFile]:
    """Runs the transform; returns the shards it yields, in order."""
    listed = str(folder / "shards.json")
    with local_pipeline() as root:
        _ = (
            root
            | beam.Create(examples)
            | WriteExamples(str(folder / "examples"), str(folder / "staging"), BeamFiles(), shards)
            | ListFiles(listed, BeamFiles())
        )
    return read_staged_list(BeamFiles(), listed)


@pytest.mark.parametrize("shard_bytes", [1, 100 << 20])
def test_every_example_is_in_one_shard_of_its_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_bytes: int
) -> None:
    monkeypatch.setattr(plan_shards, "__kwdefaults__", {"shard_bytes": shard_bytes})
    staged = write(tmp_path, EXAMPLES)
    shards = {Path(file.path).name: read_records(file.path) for file in staged}
    if shard_bytes > 1:
        assert list(shards) == [
            "train-00000-of-00001.tfrecord.gz",
            "test-00000-of-00001.tfrecord.gz",
        ]
    else:
        assert len(shards) > 2
    for split, expected in BY_SPLIT.items():
        found = [
            each for name, records in shards.items() if name.startswith(split) for each in records
        ]
        assert Counter(found) == Counter(expected)
    for file in staged:
        assert file.rows == len(shards[Path(file.path).name])
        assert file.bytes == Path(file.path).stat().st_size
        assert file.sha256 == BeamFiles().digest(file.path)
    assert {path.name for path in (tmp_path / "examples").iterdir()} == set(shards)


@pytest.mark.parametrize(("shards", "files"), [(1, 1), (3, 3), (200, 21)])
def test_a_given_number_of_shards_have_equal_sizes_but_for_one_example(
    tmp_path: Path, shards: int, files: int
) -> None:
    examples = [
        (unit, {"train": [f"{unit} {batch} {i}".encode() for i in range(5)]})
        for unit in range(2)
        for batch in range(4)
    ]
    staged = write(tmp_path, examples, shards=shards)
    assert [Path(file.path).name for file in staged] == [
        f"train-{index:05d}-of-{files:05d}.tfrecord.gz" for index in range(files)
    ]
    assert max(file.rows for file in staged) - min(file.rows for file in staged) <= 1
    found = [record for file in staged for record in read_records(file.path)]
    expected = [each for _, of_split in examples for each in of_split["train"]]
    assert sorted(found) == sorted(expected)


def test_tensorflow_reads_a_shard_of_several_pieces(tmp_path: Path) -> None:
    import tensorflow as tf

    [train, _] = write(tmp_path, EXAMPLES)
    dataset = tf.data.TFRecordDataset(train.path, compression_type="GZIP")
    assert Counter(each.numpy() for each in dataset) == Counter(BY_SPLIT["train"])


def test_no_examples_make_no_shards(tmp_path: Path) -> None:
    assert write(tmp_path, []) == []
    assert not (tmp_path / "examples").exists()
