"""The features of whole documents: what was written is read, what does not fit is refused."""

import contextlib
import re
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


def serialize(kept: list[int], cut: list[int], unknown: list[bytes]) -> bytes:
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
    return example.SerializeToString(deterministic=True)


def read(folder: Path, *shards: list[bytes]) -> Examples:
    paths = tuple(write_shard(folder / f"{i}.gz", shard) for i, shard in enumerate(shards))
    split = Shards(paths=paths, rows=sum(map(len, shards)), max_tokens=MAX_TOKENS, oov_buckets=OOV)
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
