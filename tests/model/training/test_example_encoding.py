"""Examples are written byte for byte as protobuf writes them, deterministically."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model.training.example_encoding import encode_examples
from tests.model.training.made_up_examples import unknown_tokens

INT64 = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.one_of(st.integers(0, 300), INT64)


def encode(**changes):
    given_ = {
        "token_ids": np.array([[5, 6, 0], [7, 0, 0]], np.int64),
        "lengths": np.array([2, 1], np.int64),
        "labels": np.array([1, 0], np.int64),
        "document_ids": ["a", "ü"],
    }
    return encode_examples(**{**given_, **changes})


def encode_with_protobuf(
    *,
    token_ids,
    lengths,
    labels,
    document_ids,
    weights=None,
    rationales=None,
    cut=(),
    unknown=(),
    soft_labels=None,
) -> list[bytes]:
    """`cut` and `unknown` are lists, one for each row."""
    example_pb2 = pytest.importorskip("tensorflow.core.example.example_pb2")

    serialized = []
    for row, document_id in enumerate(document_ids):
        example = example_pb2.Example()
        feature = example.features.feature
        feature["token_ids"].int64_list.value.extend(token_ids[row].tolist())
        feature["length"].int64_list.value.append(int(lengths[row]))
        feature["label"].int64_list.value.extend(np.atleast_1d(labels[row]).tolist())
        feature["document_id"].bytes_list.value.append(document_id.encode())
        if weights is not None:
            feature["weight"].float_list.value.append(float(weights[row]))
        if rationales is not None:
            feature["rationale"].int64_list.value.extend(rationales[row].tolist())
        if cut and cut[row]:
            feature["cut_token_ids"].int64_list.value.extend(cut[row])
        if unknown and unknown[row]:
            feature["unknown_tokens"].bytes_list.value.extend(unknown[row])
        if soft_labels is not None and not np.isnan(soft_labels[row]).all():
            feature["probabilities"].float_list.value.extend(soft_labels[row].tolist())
        serialized.append(example.SerializeToString(deterministic=True))
    return serialized


@st.composite
def tables(draw) -> dict[str, object]:
    rows, tokens, labels = draw(st.tuples(*[st.integers(0, 4)] * 3))
    tokens = 40 * tokens + 1  # lengths of more than one byte, too

    def numbers(*shape: int) -> np.ndarray:
        return draw(arrays.arrays(np.int64, shape, elements=NUMBERS))

    return {
        "token_ids": numbers(rows, tokens),
        "lengths": numbers(rows),
        "labels": numbers(rows, labels) if labels else numbers(rows),
        "document_ids": draw(
            st.lists(st.text(st.characters(codec="utf-8")), min_size=rows, max_size=rows)
        ),
        "weights": draw(st.none() | arrays.arrays(np.float32, rows, elements=st.floats(width=32))),
        "rationales": numbers(rows, tokens) if draw(st.booleans()) else None,
    }


@given(tables())
def test_the_bytes_are_those_of_protobuf(table):
    assert encode_examples(**table) == encode_with_protobuf(**table)


@given(tables(), st.integers(1, 40), st.data())
def test_soft_labels_are_written_where_there_are_any(table, labels, data):
    rows = len(table["document_ids"])
    numbers = arrays.arrays(np.float32, (rows, labels), elements=st.floats(0, 1, width=32))
    soft_labels = data.draw(numbers)
    soft_labels[data.draw(arrays.arrays(bool, rows))] = np.nan
    encoded = encode_examples(**table, soft_labels=soft_labels)
    assert encoded == encode_with_protobuf(**table, soft_labels=soft_labels)


@given(tables(), st.data())
def test_cut_and_unknown_tokens_are_written_where_there_are_any(table, data):
    rows = len(table["document_ids"])
    cut = data.draw(st.lists(st.lists(NUMBERS, max_size=4), min_size=rows, max_size=rows))
    tokens = st.lists(st.binary(max_size=200), max_size=4)
    unknown = data.draw(st.lists(tokens, min_size=rows, max_size=rows))
    encoded = encode_examples(
        **table,
        cut_ids=np.array(list(itertools.chain(*cut)), np.int64),
        cut_offsets=np.cumsum([0, *map(len, cut)]),
        unknown=unknown_tokens(list(itertools.chain(*unknown))),
        unknown_offsets=np.cumsum([0, *map(len, unknown)]),
    )
    assert encoded == encode_with_protobuf(**table, cut=cut, unknown=unknown)


def test_a_long_document_is_written_as_protobuf_writes_it():
    table = {
        "token_ids": np.arange(40_000, dtype=np.int64)[None],
        "lengths": np.array([40_000]),
        "labels": np.array([0]),
        "document_ids": ["d" * 20_000],
    }
    assert encode_examples(**table) == encode_with_protobuf(**table)


def test_equal_documents_give_equal_bytes():
    assert encode() == encode()


def test_no_document_gives_no_example():
    empty = np.empty(0, np.int64)
    assert encode(token_ids=empty.reshape(0, 3), lengths=empty, labels=empty, document_ids=[]) == []


def test_arrays_need_no_particular_type_or_layout():
    ids = np.array([[5, 6, 0], [7, 0, 0]], np.int32)
    wide = np.zeros((2, 6), np.int32)
    wide[:, ::2] = ids
    assert encode(token_ids=np.asfortranarray(ids)) == encode(token_ids=wide[:, ::2]) == encode()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("lengths", [2]),
        ("labels", [1, 0, 1]),
        ("token_ids", [[5, 6, 0]]),
        ("weights", [1.0]),
        ("cut_offsets", [0, 0]),
    ],
)
def test_arrays_of_different_numbers_of_rows_are_refused(name, values):
    with pytest.raises(ValueError, match=r"documents|reshape"):
        encode(**{name: np.array(values)})
