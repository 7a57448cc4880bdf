"""Compiled loops between flat arrays of documents and padded matrices."""

import numpy as np

from model.runtime.compilation import compiled


@compiled
def fill_rows(
    values: np.ndarray, starts: np.ndarray, lengths: np.ndarray, matrix: np.ndarray
) -> None:
    """Copies `values[starts[i] : starts[i] + lengths[i]]` to the beginning of row i of a matrix."""
    for row in range(len(starts)):
        for step in range(lengths[row]):
            matrix[row, step] = values[starts[row] + step]


@compiled
def collect_rows(
    matrix: np.ndarray, starts: np.ndarray, lengths: np.ndarray, values: np.ndarray
) -> None:
    """The reverse of `fill_rows`: copies the beginnings of the rows to a flat array."""
    for row in range(len(starts)):
        for step in range(lengths[row]):
            values[starts[row] + step] = matrix[row, step]
