"""Token ids of several rows as a matrix, padded on the right."""

import numpy as np

from model.text.vocabulary import PAD


def pad_ids(ids: np.ndarray, row_offsets: np.ndarray, *, max_tokens: int) -> np.ndarray:
    """Makes a matrix, padded with `PAD` on the right, from the rows' token ids.

    Args:
        ids: int `(tokens,)`, the rows' ids one after another.
        row_offsets: int64 `(rows + 1,)`; no row is longer than `max_tokens`.
        max_tokens: the number of columns of the result.

    Returns:
        int64 `(rows, max_tokens)`.
    """
    lengths = np.diff(row_offsets)
    padded = np.full((len(lengths), max_tokens), PAD, dtype=np.int64)
    padded[np.arange(max_tokens) < lengths[:, None]] = ids
    return padded
