"""Batches of documents of about the same length, for engines that pad."""

from collections.abc import Iterator

import numpy as np

# The documents of one batch on a CPU.
CPU_BATCH_ROWS = 256


def sorted_batches(lengths: np.ndarray, batch_rows: int = CPU_BATCH_ROWS) -> Iterator[np.ndarray]:
    """Sorts documents by length and cuts them into batches of at most `batch_rows`.

    Args:
        lengths: `(rows,)`, of the documents.
        batch_rows: documents of a batch.

    Yields:
        The indices of the documents of a batch, int64, the longest document last.
    """
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_rows):
        yield order[start : start + batch_rows]
