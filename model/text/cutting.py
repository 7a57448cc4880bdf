"""Which tokens of a document are kept where it is cut to a number of tokens."""

from typing import Literal

import numpy as np

from model.runtime.compilation import compiled

Cut = Literal["head", "tail", "head+tail"]


def mark_kept(kept: np.ndarray, dropped: np.ndarray, how: Cut) -> np.ndarray:
    """Marks the tokens that the rows keep.

    Args:
        kept: how many tokens each row keeps, int [rows].
        dropped: how many it loses, int [rows]; a row that loses none keeps all of its tokens.
        how: which tokens are kept: the first ("head"), the last ("tail"), or half of them from
            each end ("head+tail"; of an odd number the head gets one more).

    Returns:
        Whether each token of the uncut rows is kept, bool [tokens], the rows end to end.
    """
    kept = np.asarray(kept, np.int64)
    heads = {"head": kept, "tail": np.zeros_like(kept), "head+tail": (kept + 1) // 2}[how]
    return mark_rows(heads, kept - heads, np.asarray(dropped, np.int64))


@compiled
def mark_rows(heads: np.ndarray, tails: np.ndarray, dropped: np.ndarray) -> np.ndarray:
    """Rows of `heads[i]` times true, `dropped[i]` times false and `tails[i]` times true."""
    marks = np.ones(heads.sum() + tails.sum() + dropped.sum(), np.bool_)
    start = 0
    for row in range(heads.size):
        start += heads[row]
        for token in range(start, start + dropped[row]):
            marks[token] = False
        start += dropped[row] + tails[row]
    return marks
