"""Documents -> serialized `tf.train.Example`s, written here rather than by TensorFlow.

An example holds `token_ids` int64 `[max_tokens]`, padded with 0 on the right, `length` int64,
`label` int64 (one index, or a multi-hot vector if documents may have several labels),
`document_id` bytes and, where given, `weight` float, a `rationale` mask int64 `[max_tokens]`, and
`probabilities` float `[labels]`, the soft labels. A document that has only soft labels has -1 in
`label` in place of every number.

So that an example holds the whole document, there are two more features, which are written only
where they are not empty: `cut_token_ids` int64, the ids of the tokens that were cut, and
`unknown_tokens` bytes, the folded text of every token whose id stands for unknown tokens, kept and
cut ones together; both in the order of the document.

The bytes are those of protobuf's deterministic serialization, so that equal documents give equal
bytes. Source: https://protobuf.dev/programming-guides/encoding; example.proto and feature.proto of
TensorFlow.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.runtime.compilation import compiled_with
from model.training.examples import UnknownTokens
from model.training.protobuf import writing
from model.training.protobuf.feature_names import (
    NAME_OF_CUT_TOKEN_IDS,
    NAME_OF_DOCUMENT_ID,
    NAME_OF_LABEL,
    NAME_OF_LENGTH,
    NAME_OF_PROBABILITIES,
    NAME_OF_RATIONALE,
    NAME_OF_TOKEN_IDS,
    NAME_OF_UNKNOWN_TOKENS,
    NAME_OF_WEIGHT,
)
from model.training.protobuf.writing import (
    count_varint_bytes,
    put_bytes_feature,
    put_float_feature,
    put_int64_feature,
    put_tag,
)

# More bytes than an example has besides its document id, its ids, its labels and its unknown
# tokens: the names, tags and lengths of nine features, a length and a weight.
FRAME_BYTES = 512

# More bytes than the tag and the length of one string take.
STRING_FRAME_BYTES = 8


def encode_examples(
    *,
    token_ids: np.ndarray,
    lengths: np.ndarray,
    labels: np.ndarray,
    document_ids: Sequence[str],
    weights: np.ndarray | None = None,
    rationales: np.ndarray | None = None,
    cut_ids: np.ndarray | None = None,
    cut_offsets: np.ndarray | None = None,
    unknown: UnknownTokens | None = None,
    unknown_offsets: np.ndarray | None = None,
    soft_labels: np.ndarray | None = None,
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
        cut_ids: int, the ids of the cut tokens of all rows end to end, if any were cut.
        cut_offsets: int64 `(rows + 1,)`, where each row begins in `cut_ids`.
        unknown: the unknown tokens of all rows, if there are any.
        unknown_offsets: int64 `(rows + 1,)`, where each row begins in `unknown`.
        soft_labels: float32 `(rows, labels)`, NaN where a document has none.

    Raises:
        ValueError: the arrays do not have the same number of rows.
    """
    names = [document_id.encode() for document_id in document_ids]
    rows = len(names)
    soft = np.empty((rows, 0)) if soft_labels is None else soft_labels
    unknown = unknown or UnknownTokens()
    columns = _Columns(
        token_ids=_matrix(token_ids, rows),
        lengths=_matrix(lengths, rows),
        labels=_matrix(labels, rows),
        id_bytes=np.frombuffer(b"".join(names), np.uint8),
        id_offsets=np.cumsum([0, *map(len, names)]),
        weights=_float32_bits([] if weights is None else weights, (-1,)),
        rationales=_matrix(np.empty((rows, 0)) if rationales is None else rationales, rows),
        cut_ids=_int64s([] if cut_ids is None else cut_ids),
        cut_offsets=_offsets(cut_offsets, rows),
        unknown_bytes=unknown.data,
        unknown_offsets=_int64s(unknown.offsets),
        unknown_rows=_offsets(unknown_offsets, rows),
        soft_labels=_float32_bits(soft, (rows, soft.shape[1])),
        has_soft_labels=np.asarray(~np.isnan(soft).all(axis=1)),
    )
    if weights is not None and len(weights) != rows:
        raise ValueError(f"expected the weights of {rows} documents, got {len(weights)}")
    data, offsets = serialize_examples(columns)
    serialized = data.tobytes()
    return [serialized[start:end] for start, end in itertools.pairwise(offsets.tolist())]


class _Columns(NamedTuple):
    """The documents, as the kernel needs them.

    Attributes:
        token_ids: int64 `(rows, max_tokens)`.
        lengths: int64 `(rows, 1)`.
        labels: int64 `(rows, values)`.
        id_bytes: the UTF-8 of all document ids, uint8.
        id_offsets: where each begins, int64 `(rows + 1,)`.
        weights: the bits of float32s, uint32 `(rows,)`; empty if there are none.
        rationales: int64 `(rows, max_tokens)`; `(rows, 0)` if there are none.
        cut_ids: int64.
        cut_offsets: int64 `(rows + 1,)`.
        unknown_bytes: the UTF-8 of all unknown tokens, uint8.
        unknown_offsets: where each begins, int64 `(tokens + 1,)`.
        unknown_rows: which of them belong to a row, int64 `(rows + 1,)`.
        soft_labels: the bits of float32s, uint32 `(rows, labels)`.
        has_soft_labels: whether a row has them, bool `(rows,)`.
    """

    token_ids: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    id_bytes: np.ndarray
    id_offsets: np.ndarray
    weights: np.ndarray
    rationales: np.ndarray
    cut_ids: np.ndarray
    cut_offsets: np.ndarray
    unknown_bytes: np.ndarray
    unknown_offsets: np.ndarray
    unknown_rows: np.ndarray
    soft_labels: np.ndarray
    has_soft_labels: np.ndarray


def _matrix(values: np.ndarray, rows: int) -> np.ndarray:
    """The values of each row as the kernel needs them: int64 `(rows, values)`, contiguous."""
    if len(values) != rows:
        raise ValueError(f"expected the values of {rows} documents, got those of {len(values)}")
    return _int64s(values).reshape(rows, int(np.prod(values.shape[1:])))


def _float32_bits(values: np.ndarray | list[float], shape: tuple[int, ...]) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32).view(np.uint32).reshape(shape)


def _int64s(values: np.ndarray | list[int]) -> np.ndarray:
    return np.ascontiguousarray(values, np.int64)


def _offsets(offsets: np.ndarray | None, rows: int) -> np.ndarray:
    if offsets is None:
        return np.zeros(rows + 1, np.int64)
    if len(offsets) != rows + 1:
        raise ValueError(f"expected the offsets of {rows} documents, got {len(offsets)} numbers")
    return _int64s(offsets)


_compiled = compiled_with(writing)


@_compiled
def serialize_examples(columns: _Columns) -> tuple[np.ndarray, np.ndarray]:
    """Serializes examples: from the last byte to the first, so that lengths are known when written.

    Returns:
        The bytes of all examples, uint8, and where each begins, int64 `(rows + 1,)`.
    """
    rows = columns.lengths.shape[0]
    size = rows * FRAME_BYTES + columns.id_bytes.size + columns.unknown_bytes.size
    size += 4 * columns.soft_labels.size
    size += (columns.unknown_offsets.size - 1) * STRING_FRAME_BYTES
    size += count_varint_bytes(columns.token_ids) + count_varint_bytes(columns.labels)
    size += count_varint_bytes(columns.rationales)
    size += count_varint_bytes(columns.cut_ids.reshape(1, columns.cut_ids.size))
    out = np.empty(size, np.uint8)
    offsets = np.empty(rows + 1, np.int64)
    offsets[rows] = start = size
    for row in range(rows - 1, -1, -1):
        end = start
        # The last of the sorted names comes first.
        if columns.weights.size:
            weight = columns.weights[row : row + 1]
            start = put_float_feature(out, start, weight, NAME_OF_WEIGHT)
        first, last = columns.unknown_rows[row], columns.unknown_rows[row + 1]
        if first < last:
            offsets_of_row = columns.unknown_offsets[first : last + 1]
            start = put_bytes_feature(
                out, start, columns.unknown_bytes, offsets_of_row, NAME_OF_UNKNOWN_TOKENS
            )
        start = put_int64_feature(out, start, columns.token_ids[row], NAME_OF_TOKEN_IDS)
        if columns.rationales.shape[1]:
            start = put_int64_feature(out, start, columns.rationales[row], NAME_OF_RATIONALE)
        if columns.has_soft_labels[row]:
            start = put_float_feature(out, start, columns.soft_labels[row], NAME_OF_PROBABILITIES)
        start = put_int64_feature(out, start, columns.lengths[row], NAME_OF_LENGTH)
        start = put_int64_feature(out, start, columns.labels[row], NAME_OF_LABEL)
        id_offsets = columns.id_offsets[row : row + 2]
        start = put_bytes_feature(out, start, columns.id_bytes, id_offsets, NAME_OF_DOCUMENT_ID)
        first, last = columns.cut_offsets[row], columns.cut_offsets[row + 1]
        if first < last:
            start = put_int64_feature(
                out, start, columns.cut_ids[first:last], NAME_OF_CUT_TOKEN_IDS
            )
        start = put_tag(out, start, end, 1)
        offsets[row] = start
    return out[start:], offsets - start
