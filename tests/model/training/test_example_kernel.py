"""Examples are read however protobuf writes them; what does not fit is refused."""

import contextlib
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training import shards as shards_module
from model.training.examples import MAX_CUT_TOKENS, Examples
from model.training.shards import ShardError, Shards, read_examples
from tests.model.training.made_up_examples import texts_of
from tests.model.training.shard_files import write_shard

MAX_TOKENS = 4
OOV = 2

Row = tuple[list[int], list[int], list[bytes]]  # kept ids, cut ids, unknown tokens


@st.composite
def rows(draw: st.DrawFn) -> Row:
    ids = st.integers(1, 300) | st.integers(1, 2**31 - 1)
    kept = draw(st.lists(ids, max_size=MAX_TOKENS))
    cut = draw(st.lists(ids, max_size=5)) if len(kept) == MAX_TOKENS else []
    count = sum(token <= OOV for token in kept + cut)
    unknown = draw(st.lists(st.binary(max_size=200), min_size=count, max_size=count))
    return kept, cut, unknown


def serialize(
    kept: list[int], cut: list[int], unknown: list[bytes], probabilities: Sequence[float] = ()
) -> bytes:
    example_pb2 = pytest.importorskip("tensorflow.core.example.example_pb2")
    example = example_pb2.Example()
    feature = example.features.feature
    feature["token_ids"].int64_list.value.extend(kept + [0] * (MAX_TOKENS - len(kept)))
    feature["length"].int64_list.value.append(len(kept))
    feature["label"].int64_list.value.append(1)
    if cut:
        feature["cut_token_ids"].int64_list.value.extend(cut)
    if unknown:
        feature["unknown_tokens"].bytes_list.value.extend(unknown)
    if probabilities:
        feature["probabilities"].float_list.value.extend(probabilities)
    return example.SerializeToString(deterministic=True)


def read(folder: Path, *shards: list[bytes], soft_labels: int = 0) -> Examples:
    paths = tuple(write_shard(folder / f"{i}.gz", shard) for i, shard in enumerate(shards))
    split = Shards(
        paths=paths,
        rows=sum(map(len, shards)),
        max_tokens=MAX_TOKENS,
        oov_buckets=OOV,
        soft_labels=soft_labels,
    )
    return read_examples(split, scratch=folder)


@given(st.lists(st.lists(rows(), max_size=5), max_size=3), st.sampled_from([7, 1 << 16]))
def test_what_protobuf_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory, shards: list[list[Row]], block_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards_module, "BLOCK_BYTES", block_bytes)
        serialized = [[serialize(*row) for row in shard] for shard in shards]
        examples = read(tmp_path_factory.mktemp("shards"), *serialized)
    written = [row for shard in shards for row in shard]
    texts = texts_of(examples.unknown)
    assert examples.cut_ids.dtype == np.int32
    assert examples.unknown.offsets.dtype == np.int64
    assert len(examples.unknown_offsets) == len(examples.cut_offsets) == len(written) + 1
    found = [
        (
            examples.ids[slice(*examples.row_offsets[row : row + 2])].tolist(),
            examples.cut_ids[slice(*examples.cut_offsets[row : row + 2])].tolist(),
            texts[slice(*examples.unknown_offsets[row : row + 2])],
        )
        for row in range(examples.rows)
    ]
    assert found == written


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ([1, 2, 3], [], [b"a"]),
            "unknown_tokens: expected one for each of the 2 ids that stand for unknown tokens, "
            "got 1",
        ),
        (
            ([3, 3, 3, 3], [2], [b"a", b"b"]),
            "unknown_tokens: expected one for each of the 1 ids that stand for unknown tokens, "
            "got 2",
        ),
        (
            ([3, 4], [5], []),
            "cut_token_ids: expected them only in a document of which 4 tokens (text.max_tokens) "
            "are kept, got one of 2",
        ),
        (([3] * 4, [5, -1], []), "cut_token_ids: expected numbers in [0, 2**31), got -1"),
        (([3] * 4, [2**31], []), "cut_token_ids: expected numbers in [0, 2**31), got 2147483648"),
        (
            ([3] * 4, [3] * (MAX_CUT_TOKENS + 1), []),
            f"cut_token_ids: expected at most {MAX_CUT_TOKENS} numbers, got {MAX_CUT_TOKENS + 1}",
        ),
    ],
    ids=range(6),
)
def test_what_does_not_fit_is_refused(tmp_path: Path, row: Row, message: str) -> None:
    good = serialize([3, 1], [], [b"x"])
    with pytest.raises(ShardError, match=re.escape(f"0.gz: example 2: {message}.")):
        read(tmp_path, [good, serialize(*row)])


def test_unknown_tokens_without_their_text_are_empty(tmp_path: Path) -> None:
    """Examples that were written before they had that text."""
    examples = read(
        tmp_path,
        [
            serialize([1, 3, 2], [], []),
            serialize([1], [], [b"a"]),
            serialize([2, 2, 2, 2], [1], []),
        ],
    )
    assert texts_of(examples.unknown) == [b"", b"", b"a", b"", b"", b"", b"", b""]
    assert examples.unknown_offsets.tolist() == [0, 2, 3, 8]


def test_soft_labels_are_read_where_there_are_any(tmp_path: Path) -> None:
    shards = (
        [serialize([3], [], [], [0.25, 0.5, 0.25]), serialize([3], [], [])],
        [serialize([3], [], [], [0, 1, 0])],
    )
    examples = read(tmp_path, *shards, soft_labels=3)
    assert examples.soft_labels is not None
    assert examples.soft_labels.dtype == np.float32
    expected = [[0.25, 0.5, 0.25], [np.nan] * 3, [0, 1, 0]]
    np.testing.assert_array_equal(examples.soft_labels, expected)
    assert read(tmp_path, *shards).soft_labels is None
    with pytest.raises(ShardError, match="probabilities: expected none or 4 numbers, got 3"):
        read(tmp_path, *shards, soft_labels=4)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_examples_give_an_error_or_examples(
    tmp_path_factory: pytest.TempPathFactory, damages: list[tuple[int, int]]
) -> None:
    example = bytearray(serialize([1, 2, 3, 1], [2, 300, 1], [b"a", b"bc", b"", b"d" * 200, b"e"]))
    for position, value in damages:
        example[position % len(example)] = value
    with contextlib.suppress(ShardError):
        examples = read(tmp_path_factory.mktemp("damaged"), [bytes(example)])
        assert examples.cut_offsets[-1] == len(examples.cut_ids)
        assert examples.unknown_offsets[-1] == len(examples.unknown)
        assert examples.unknown.offsets[-1] == len(examples.unknown.data)
        assert (np.diff(examples.unknown.offsets) >= 0).all()


# --- Other encodings of the same message --------------------------------------------------------


def varint(value: int) -> bytes:
    out = b""
    value &= 2**64 - 1
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def delimited(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def packed(values) -> bytes:
    return delimited(3, delimited(1, b"".join(map(varint, values))))


def unpacked(values) -> bytes:
    return delimited(3, b"".join(b"\x08" + varint(value) for value in values))


def in_parts(values) -> bytes:
    """Packed, one by one, and in a second list, which protobuf appends to the first."""
    middle = max(1, len(values) // 2)
    return unpacked(values[:1]) + packed(values[1:middle]) + packed(values[middle:])


def example_of(features: list[tuple[bytes, bytes]]) -> bytes:
    entries = [delimited(1, name) + delimited(2, feature) for name, feature in features]
    return delimited(1, b"".join(delimited(1, entry) for entry in entries))


def read_one(tmp_path, example: bytes, *, label_width: int = 0):
    path = write_shard(tmp_path / "one.gz", [example])
    shards = Shards(paths=(path,), rows=1, max_tokens=4, oov_buckets=1, label_width=label_width)
    return read_examples(shards, scratch=tmp_path)


FEATURES = [
    (b"token_ids", packed([7, 300, 70_000, 0])),
    (b"length", packed([3])),
    (b"label", packed([2])),
    (b"weight", delimited(2, delimited(1, struct.pack("<f", 0.5)))),
]


@pytest.mark.parametrize("write", [packed, unpacked, in_parts])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
def test_features_may_be_packed_or_not_and_in_any_order(tmp_path, write, order):
    features = [
        (b"token_ids", write([7, 300, 70_000, 0])),
        (b"length", write([3])),
        (b"label", write([2])),
        (b"weight", delimited(2, b"\x0d" + struct.pack("<f", 0.5))),
    ]
    examples = read_one(tmp_path, example_of([features[index] for index in order]))
    assert examples.ids.tolist() == [7, 300, 70_000]
    assert examples.labels.tolist() == [2]
    assert examples.weights.tolist() == [0.5]


def test_unknown_features_and_fields_are_skipped(tmp_path):
    unknown = [
        (b"rationale", packed([0, 1, 0, 0])),
        (b"document_id", delimited(1, delimited(1, b"a"))),
        (b"token_idz", packed([1])),
        (b"", b""),
    ]
    fields = b"".join(
        (
            varint(9 << 3 | 0) + varint(2**64 - 1),
            varint(9 << 3 | 1) + bytes(8),
            varint(9 << 3 | 5) + bytes(4),
            delimited(1000, b"anything"),
        )
    )
    for example in (example_of(unknown + FEATURES), fields + example_of(FEATURES) + fields):
        examples = read_one(tmp_path, example)
        assert examples.ids.tolist() == [7, 300, 70_000]


def test_the_last_of_several_features_of_one_name_counts(tmp_path):
    examples = read_one(tmp_path, example_of([(b"label", packed([1])), *FEATURES]))
    assert examples.labels.tolist() == [2]


def test_an_empty_weight_is_the_default(tmp_path):
    examples = read_one(tmp_path, example_of([*FEATURES[:3], (b"weight", delimited(2, b""))]))
    assert examples.weights.tolist() == [1.0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ((b"token_ids", packed([1, 2, 3])), "token_ids: expected 4 numbers .*, got 3"),
        ((b"token_ids", packed([1] * 9)), "token_ids: expected 4 numbers .*, got 9"),
        ((b"token_ids", delimited(2, b"")), "token_ids: expected 4 numbers .*, got 0"),
        ((b"token_ids", packed([1, -1, 2, 3])), r"token_ids: expected .* got -1"),
        ((b"token_ids", packed([1, 2**31, 2, 3])), r"token_ids: expected .* got 2147483648"),
        ((b"length", packed([5])), "length: expected one number up to 4, got 5"),
        ((b"length", packed([-1])), "length: expected one number up to 4, got -1"),
        ((b"length", packed([])), "length: expected one number"),
        ((b"length", packed([1, 2])), "length: expected one number"),
        ((b"label", packed([])), "label: expected one number, got 0"),
        ((b"label", packed([0, 1])), "label: expected one number, got 2"),
        ((b"weight", delimited(2, delimited(1, bytes(8)))), "weight: expected at most one .* 2"),
        ((b"label", b"\xff"), "expected a tf.train.Example"),
        ((b"label", delimited(3, delimited(1, b"\x80"))), "expected a tf.train.Example"),
        ((b"label", delimited(3, b"\x0a\x05\x01")), "expected a tf.train.Example"),
        ((b"weight", delimited(2, delimited(1, bytes(3)))), "expected a tf.train.Example"),
    ],
)
def test_a_wrong_feature_is_named_with_its_file(tmp_path, changed, message):
    features = [changed if name == changed[0] else (name, value) for name, value in FEATURES]
    with pytest.raises(ShardError, match=message) as raised:
        read_one(tmp_path, example_of(features))
    assert str(raised.value).startswith(f"{tmp_path / 'one.gz'}: example 1: ")


def test_a_label_of_another_width_is_refused(tmp_path):
    with pytest.raises(ShardError, match=r"label: expected 3 numbers \(0 or 1\), got 1"):
        read_one(tmp_path, example_of(FEATURES), label_width=3)
