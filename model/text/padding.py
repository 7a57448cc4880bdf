"""Flat token ids <-> a matrix padded on the right."""

import numpy as np

from model.text.vocabulary import PAD


def pad_ids(ids: np.ndarray, row_offsets: np.ndarray, *, max_tokens: int) -> np.ndarray:
    """Lays flat token ids out as a matrix padded with 0 on the right.

    Args:
        ids: `(tokens,)`, the rows' ids one after another.
        row_offsets: `(rows + 1,)`; no row is longer than `max_tokens`.
        max_tokens: columns of the result.

    Returns:
        int64 `(rows, max_tokens)`.
    """
    lengths = np.diff(row_offsets)
    padded = np.full((len(lengths), max_tokens), PAD, dtype=np.int64)
    padded[np.arange(max_tokens) < lengths[:, None]] = ids
    return padded
