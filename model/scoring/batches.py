"""Batches of documents of about the same length, for engines that pad."""

from collections.abc import Iterator

import numpy as np

from model.layers.forward import INFERENCE_BATCH_ROWS


def sorted_batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Sorts documents by length and cuts them into batches of at most `INFERENCE_BATCH_ROWS`.

    Args:
        lengths: `(rows,)`, of the documents.

    Yields:
        The indices of the documents of a batch, int64, the longest document last.
    """
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), INFERENCE_BATCH_ROWS):
        yield order[start : start + INFERENCE_BATCH_ROWS]
