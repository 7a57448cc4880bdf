"""Shards -> examples: every document in the order of the shards; a damaged file is named."""

import contextlib
import dataclasses
import gzip
import re
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text.padding import pad_ids
from model.training import shards as shards_module
from model.training.example_encoding import encode_examples
from model.training.examples import Examples
from model.training.shards import ShardError, Shards, check_examples, read_examples
from tests.model.training.shard_files import records, write_shard

MAX_TOKENS = 20


def documents(rows: int, *, first: int = 0, label_width: int = 0, weights: bool = True):
    """Documents whose ids, labels and weights follow from their number."""
    numbers = np.arange(first, first + rows)
    lengths = 1 + numbers * 7 % MAX_TOKENS
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.repeat(numbers + 1, lengths)
    labels = numbers % 3
    if label_width:
        labels = (numbers[:, None] >> np.arange(label_width) & 1).astype(np.int64)
    return {
        "token_ids": pad_ids(ids, offsets, max_tokens=MAX_TOKENS),
        "lengths": lengths,
        "labels": labels,
        "document_ids": [str(number) for number in numbers],
        "weights": (numbers / 8).astype(np.float32) if weights else None,
    }


def shard_of(path, table) -> str:
    return write_shard(path, encode_examples(**table))


def check(examples, *tables):
    lengths = np.concatenate([table["lengths"] for table in tables])
    np.testing.assert_array_equal(np.diff(examples.row_offsets), lengths)
    ids = [
        row[:length]
        for table in tables
        for row, length in zip(table["token_ids"], table["lengths"], strict=True)
    ]
    np.testing.assert_array_equal(examples.ids, np.concatenate(ids))
    np.testing.assert_array_equal(
        examples.labels, np.concatenate([table["labels"] for table in tables])
    )
    assert examples.ids.dtype == np.int32
    assert examples.row_offsets.dtype == examples.labels.dtype == np.int64
    assert examples.weights.dtype == np.float32


def test_documents_come_in_the_sorted_order_of_the_paths(tmp_path):
    tables = [documents(30, first=30 * number) for number in range(25)]
    paths = [shard_of(tmp_path / f"{number:02}.gz", table) for number, table in enumerate(tables)]
    shards = Shards(paths=tuple(reversed(paths)), rows=750, max_tokens=MAX_TOKENS, oov_buckets=1)
    examples = read_examples(shards, scratch=tmp_path)
    check(examples, *tables)
    np.testing.assert_array_equal(examples.weights, np.arange(750, dtype=np.float32) / 8)
    assert examples.rows == 750


def test_files_that_tensorflow_wrote_are_read(tmp_path):
    tf = pytest.importorskip("tensorflow")

    table = documents(100)
    path = str(tmp_path / "0.gz")
    options = tf.io.TFRecordOptions("GZIP", compression_level=1)
    with tf.io.TFRecordWriter(path, options) as writer:
        for example in encode_examples(**table):
            writer.write(example)
    shards = Shards(paths=(path,), rows=100, max_tokens=MAX_TOKENS, oov_buckets=1)
    check(read_examples(shards, scratch=tmp_path), table)


def test_a_gzip_file_of_several_members_is_read(tmp_path):
    tables = [documents(30), documents(50, first=30)]
    pieces = [gzip.compress(records(encode_examples(**table))) for table in tables]
    path = tmp_path / "joined.gz"
    path.write_bytes(b"".join(pieces))
    shards = Shards(paths=(str(path),), rows=80, max_tokens=MAX_TOKENS, oov_buckets=1)
    check(read_examples(shards, scratch=tmp_path), *tables)


def test_examples_may_be_cut_anywhere_by_the_blocks_that_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(shards_module, "BLOCK_BYTES", 7)
    table = documents(40)
    shards = Shards(
        paths=(shard_of(tmp_path / "0.gz", table),), rows=40, max_tokens=MAX_TOKENS, oov_buckets=1
    )
    check(read_examples(shards, scratch=tmp_path), table)


def test_labels_may_be_multi_hot_and_weights_absent(tmp_path):
    table = documents(40, label_width=4, weights=False)
    shards = Shards(
        paths=(shard_of(tmp_path / "0.gz", table),),
        rows=40,
        max_tokens=MAX_TOKENS,
        oov_buckets=1,
        label_width=4,
    )
    examples = read_examples(shards, scratch=tmp_path)
    check(examples, table)
    assert examples.labels.shape == (40, 4)
    np.testing.assert_array_equal(examples.weights, np.ones(40, np.float32))


def test_a_split_without_documents_is_empty(tmp_path):
    for width, shape in ((0, (0,)), (3, (0, 3))):
        shards = Shards(paths=(), rows=0, max_tokens=MAX_TOKENS, oov_buckets=1, label_width=width)
        examples = read_examples(shards, scratch=tmp_path)
        assert examples.rows == 0
        assert examples.labels.shape == shape
        assert len(examples.ids) == 0


def test_ids_are_mapped_from_a_file_and_cannot_be_changed(tmp_path):
    table = documents(10)
    shards = Shards(
        paths=(shard_of(tmp_path / "0.gz", table),), rows=10, max_tokens=MAX_TOKENS, oov_buckets=1
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    examples = read_examples(shards, scratch=scratch)
    mapped = [examples.ids, examples.unknown.offsets]  # id 1 stands for unknown tokens
    sizes = [file.stat().st_size for file in scratch.iterdir()]
    assert sorted(sizes) == sorted(array.nbytes for array in mapped)
    for array in mapped:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_few_shards_are_in_memory_at_once(tmp_path, monkeypatch):
    """A thread does not begin another shard while those that are read wait to be written."""
    monkeypatch.setattr(shards_module, "usable_cores", lambda: 2)
    begun = []
    first = threading.Event()

    def read_shard(path, shards):
        begun.append(path)
        if path == "00":
            first.wait(5)
        return []

    monkeypatch.setattr(shards_module, "_read_shard", read_shard)
    threading.Timer(0.3, lambda: (seen.extend(begun), first.set())).start()
    seen: list[str] = []
    paths = tuple(f"{number:02}" for number in range(20))
    read_examples(
        Shards(paths=paths, rows=0, max_tokens=MAX_TOKENS, oov_buckets=1), scratch=tmp_path
    )
    assert sorted(seen) == ["00", "01"]
    assert sorted(begun) == list(paths)


# --- Damaged files ------------------------------------------------------------------------------


@pytest.fixture
def good(tmp_path) -> str:
    return shard_of(tmp_path / "0.gz", documents(50))


def read_damaged(tmp_path, content: bytes, *, rows: int = 100):
    good = shard_of(tmp_path / "0.gz", documents(50))
    bad = tmp_path / "1.gz"
    bad.write_bytes(content)
    shards = Shards(paths=(good, str(bad)), rows=rows, max_tokens=MAX_TOKENS, oov_buckets=1)
    return read_examples(shards, scratch=tmp_path)


VALID = gzip.compress(records(encode_examples(**documents(50))))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        VALID[:3],
        VALID[:-1],
        VALID[: len(VALID) // 2],
        VALID[:100] + bytes([VALID[100] ^ 1]) + VALID[101:],
        VALID[:-8] + bytes(8),  # the checksum of gzip
        VALID + b"rest",
        records(encode_examples(**documents(50))),  # not compressed
        gzip.compress(b'{"text": "a corpus", "label": 1}\n' * 50),
        gzip.compress(b"\xff" * 1000),
        gzip.compress(struct.pack("<QI", 10**9, 0) + bytes(1000)),
        gzip.compress(struct.pack("<QI", 1000, 0) + bytes(500)),
        gzip.compress(records(encode_examples(**documents(50)))[:-3]),
        gzip.compress(records([b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + bytes(50)])),
        gzip.compress(bytes(1600)),  # a hundred records of no bytes
    ],
    ids=range(15),
)
def test_a_damaged_file_is_named(tmp_path, content):
    with pytest.raises(ShardError, match=re.escape(f"{tmp_path / '1.gz'}: ")) as raised:
        read_damaged(tmp_path, content)
    assert "expected" in str(raised.value)
    assert "prepare" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path, good):
    shards = Shards(
        paths=(good, str(tmp_path / "9.gz")), rows=50, max_tokens=MAX_TOKENS, oov_buckets=1
    )
    with pytest.raises(ShardError, match=re.escape("9.gz: expected a shard")):
        read_examples(shards, scratch=tmp_path)


def test_another_number_of_examples_is_refused(tmp_path, good):
    shards = Shards(paths=(good,), rows=51, max_tokens=MAX_TOKENS, oov_buckets=1)
    with pytest.raises(ShardError, match=f"{re.escape(str(tmp_path))}: expected 51 .* got 50"):
        read_examples(shards, scratch=tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("ids", 30, "token ids below 30"),
        ("labels", 3, "labels from 0 to 2"),
        ("labels", -1, "labels from 0 to 2"),
        ("weights", np.nan, "finite weights of 0 or more"),
        ("weights", -1, "finite weights of 0 or more"),
        ("cut_ids", 30, "token ids below 30"),
    ],
)
def test_examples_of_another_dataset_are_refused(field, value, expected):
    examples = Examples(
        ids=np.array([1, 29, 5], np.int32),
        row_offsets=np.array([0, 2, 3]),
        labels=np.array([0, 2]),
        weights=np.ones(2, np.float32),
        cut_ids=np.array([29, 1], np.int32),
        cut_offsets=np.array([0, 2, 2]),
    )
    check_examples(examples, ids=30, labels=3, where="examples")
    getattr(examples, field)[1] = value
    with pytest.raises(ShardError, match=f"examples: expected {expected}"):
        check_examples(examples, ids=30, labels=3, where="examples")


def test_only_soft_labels_may_stand_in_for_a_label():
    examples = Examples(
        ids=np.array([1, 2], np.int32),
        row_offsets=np.array([0, 1, 2]),
        labels=np.array([-1, 2]),
        weights=np.ones(2, np.float32),
        soft_labels=np.array([[0, 1, 0], [np.nan] * 3], np.float32),
    )
    check_examples(examples, ids=3, labels=3, where="examples")
    without = dataclasses.replace(examples, labels=np.array([2, -1]))
    with pytest.raises(ShardError, match="expected labels from 0 to 2"):
        check_examples(without, ids=3, labels=3, where="examples")
    without = dataclasses.replace(examples, soft_labels=examples.soft_labels * 2)
    with pytest.raises(ShardError, match="expected probabilities from 0 to 1"):
        check_examples(without, ids=3, labels=3, where="examples")


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_records_give_an_error_or_examples(tmp_path_factory, damages):
    """Any bytes under a right gzip checksum; `rows` may be wrong then, too."""
    folder = tmp_path_factory.mktemp("damaged")
    content = bytearray(records(encode_examples(**documents(5))))
    for position, value in damages:
        content[position % len(content)] = value
    path = folder / "0.gz"
    path.write_bytes(gzip.compress(bytes(content), 1))
    shards = Shards(paths=(str(path),), rows=5, max_tokens=MAX_TOKENS, oov_buckets=1)
    with contextlib.suppress(ShardError):
        examples = read_examples(shards, scratch=folder)
        assert examples.row_offsets[-1] == len(examples.ids)
        assert examples.ids.min(initial=0) >= 0
