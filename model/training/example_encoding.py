"""Documents -> serialized `tf.train.Example`s, written here rather than by TensorFlow.

An example holds `token_ids` int64 `[max_tokens]`, padded with 0 on the right, `length` int64,
`label` int64 (one index, or a multi-hot vector if documents may have several labels),
`document_id` bytes and, where given, `weight` float and a `rationale` mask int64 `[max_tokens]`.

The bytes are those of protobuf's deterministic serialization, so that equal documents give equal
bytes. Source: https://protobuf.dev/programming-guides/encoding; example.proto and feature.proto of
TensorFlow.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from model.runtime.compilation import compiled

# The names of the features. A map is serialized in the order of its keys.
DOCUMENT_ID = np.frombuffer(b"document_id", np.uint8)
LABEL = np.frombuffer(b"label", np.uint8)
LENGTH = np.frombuffer(b"length", np.uint8)
RATIONALE = np.frombuffer(b"rationale", np.uint8)
TOKEN_IDS = np.frombuffer(b"token_ids", np.uint8)
WEIGHT = np.frombuffer(b"weight", np.uint8)

# The numbers of the lists in a Feature.
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3

# The wire type of a field that gives its length.
DELIMITED = 2

# More bytes than an example has besides its document id, its ids and its labels: the names, tags
# and lengths of six features, a length and a weight.
FRAME_BYTES = 512


def encode_examples(
    *,
    token_ids: np.ndarray,
    lengths: np.ndarray,
    labels: np.ndarray,
    document_ids: Sequence[str],
    weights: np.ndarray | None = None,
    rationales: np.ndarray | None = None,
) -> list[bytes]:
    """Serializes documents as examples; equal documents give equal bytes.

    Args:
        token_ids: int64 `(rows, max_tokens)`, padded with 0.
        lengths: int64 `(rows,)`, tokens before the padding.
        labels: int64 `(rows,)` label indices, or `(rows, labels)` multi-hot.
        document_ids: `rows` ids.
        weights: float32 `(rows,)`, if documents are weighted.
        rationales: int64 `(rows, max_tokens)`, 1 at the tokens that a person marked as the reason
            for the label.

    Raises:
        ValueError: the arrays do not have the same number of rows.
    """
    names = [document_id.encode() for document_id in document_ids]
    rows = len(names)
    if weights is None:
        bits = np.empty(0, np.uint32)
    else:
        bits = np.ascontiguousarray(weights, np.float32).view(np.uint32).reshape(rows)
    data, offsets = serialize_examples(
        _matrix(token_ids, rows),
        _matrix(lengths, rows),
        _matrix(labels, rows),
        np.frombuffer(b"".join(names), np.uint8),
        np.cumsum([0, *map(len, names)]),
        bits,
        _matrix(np.empty((rows, 0)) if rationales is None else rationales, rows),
    )
    serialized = data.tobytes()
    return [serialized[start:end] for start, end in itertools.pairwise(offsets.tolist())]


def _matrix(values: np.ndarray, rows: int) -> np.ndarray:
    """The values of each row as the kernel needs them: int64 `(rows, values)`, contiguous."""
    if len(values) != rows:
        raise ValueError(f"expected the values of {rows} documents, got those of {len(values)}")
    return np.ascontiguousarray(values, np.int64).reshape(rows, int(np.prod(values.shape[1:])))


@compiled
def varint_bytes(value: np.uint64) -> int:
    """How many bytes a number takes."""
    size = 1
    while value >= np.uint64(0x80):
        value >>= np.uint64(7)
        size += 1
    return size


@compiled
def put_varint(out: np.ndarray, end: int, value: np.uint64) -> int:
    """Writes a number so that it ends before `end`; returns where it starts."""
    start = end - varint_bytes(value)
    for position in range(start, end - 1):
        out[position] = np.uint8(value & np.uint64(0x7F)) | 0x80
        value >>= np.uint64(7)
    out[end - 1] = np.uint8(value)
    return start


@compiled
def put_bytes(out: np.ndarray, end: int, data: np.ndarray, first: int, last: int) -> int:
    """Writes `data[first:last]` so that it ends before `end`; returns where it starts."""
    start = end - (last - first)
    # A loop, because Numba takes 2.5 s to compile an assignment to a slice.
    for index in range(last - first):
        out[start + index] = data[first + index]
    return start


@compiled
def put_tag(out: np.ndarray, start: int, end: int, number: int) -> int:
    """Makes `out[start:end]` a field: puts its length and its tag before it; returns the start."""
    start = put_varint(out, start, np.uint64(end - start)) - 1
    out[start] = number << 3 | DELIMITED
    return start


@compiled
def put_feature(out: np.ndarray, start: int, end: int, list_number: int, name: np.ndarray) -> int:
    """Makes the list `out[start:end]` an entry of the map in Features; returns the start."""
    feature = put_tag(out, start, end, list_number)
    value = put_tag(out, feature, end, 2)
    key = put_tag(out, put_bytes(out, value, name, 0, name.size), value, 1)
    return put_tag(out, key, end, 1)


@compiled
def put_int64_feature(out: np.ndarray, end: int, values: np.ndarray, name: np.ndarray) -> int:
    """Writes a feature of int64 values so that it ends before `end`; returns where it starts."""
    start = end
    for index in range(values.size - 1, -1, -1):
        start = put_varint(out, start, np.uint64(values[index]))
    if values.size:
        start = put_tag(out, start, end, 1)
    return put_feature(out, start, end, INT64_LIST, name)


@compiled
def count_varint_bytes(values: np.ndarray) -> int:
    """How many bytes the int64 numbers of a matrix take together."""
    total = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            total += varint_bytes(np.uint64(values[row, column]))
    return total


@compiled
def serialize_examples(
    token_ids: np.ndarray,
    lengths: np.ndarray,
    labels: np.ndarray,
    id_bytes: np.ndarray,
    id_offsets: np.ndarray,
    weights: np.ndarray,
    rationales: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Serializes examples: from the last byte to the first, so that lengths are known when written.

    Args:
        token_ids: int64 `(rows, max_tokens)`.
        lengths: int64 `(rows, 1)`.
        labels: int64 `(rows, values)`.
        id_bytes: the UTF-8 of all document ids, uint8.
        id_offsets: where each begins, int64 `(rows + 1,)`.
        weights: the bits of float32s, uint32 `(rows,)`; empty if there are none.
        rationales: int64 `(rows, max_tokens)`; `(rows, 0)` if there are none.

    Returns:
        The bytes of all examples, uint8, and where each begins, int64 `(rows + 1,)`.
    """
    rows = lengths.shape[0]
    size = rows * FRAME_BYTES + id_bytes.size
    size += count_varint_bytes(token_ids) + count_varint_bytes(labels)
    size += count_varint_bytes(rationales)
    out = np.empty(size, np.uint8)
    offsets = np.empty(rows + 1, np.int64)
    offsets[rows] = start = size
    for row in range(rows - 1, -1, -1):
        end = start
        # The last of the sorted names comes first.
        if weights.size:
            stop = start
            for byte in range(4):
                out[stop - 4 + byte] = np.uint8(
                    weights[row] >> np.uint32(8 * byte) & np.uint32(255)
                )
            start = put_feature(out, put_tag(out, stop - 4, stop, 1), stop, FLOAT_LIST, WEIGHT)
        start = put_int64_feature(out, start, token_ids[row], TOKEN_IDS)
        if rationales.shape[1]:
            start = put_int64_feature(out, start, rationales[row], RATIONALE)
        start = put_int64_feature(out, start, lengths[row], LENGTH)
        start = put_int64_feature(out, start, labels[row], LABEL)
        stop = start
        start = put_bytes(out, stop, id_bytes, id_offsets[row], id_offsets[row + 1])
        start = put_tag(out, start, stop, 1)
        start = put_feature(out, start, stop, BYTES_LIST, DOCUMENT_ID)
        start = put_tag(out, start, end, 1)
        offsets[row] = start
    return out[start:], offsets - start
