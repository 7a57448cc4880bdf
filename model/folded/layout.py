"""How the folded engine lays out documents and weights for its kernels."""

import dataclasses
import functools

import numpy as np

from model.folded.llvm_code import BLOCK_COLUMNS, REGISTER_FLOATS


@dataclasses.dataclass(frozen=True)
class Tile:
    """Documents whose tokens lie end to end, the longest document first.

    Attributes:
        lengths: int64 `(rows,)`, at least 1, descending.
    """

    lengths: np.ndarray

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """int64 `(rows,)`: each document's first token."""
        return np.cumsum(self.lengths) - self.lengths

    @functools.cached_property
    def lasts(self) -> np.ndarray:
        """int64 `(rows,)`: each document's last token."""
        return np.cumsum(self.lengths) - 1

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """int64 `(rows,)`: the number of each document, 0, 1, 2, ..."""
        return np.arange(len(self.lengths))

    @functools.cached_property
    def row_of_token(self) -> np.ndarray:
        """int64 `(tokens,)`: the document of each token."""
        return np.repeat(self.rows, self.lengths)

    @functools.cached_property
    def position_of_token(self) -> np.ndarray:
        """int64 `(tokens,)`: each token's position in its document, from 0."""
        return np.arange(len(self.row_of_token)) - self.starts[self.row_of_token]


@dataclasses.dataclass(frozen=True)
class Width:
    """A number of units, padded with zeros to a multiple of what a kernel processes at once."""

    units: int
    multiple: int = REGISTER_FLOATS

    @property
    def padded(self) -> int:
        """`units`, rounded up to a multiple of `multiple`."""
        return -(-self.units // self.multiple) * self.multiple

    def pad_rows(self, matrix: np.ndarray) -> np.ndarray:
        """Pads every `units` rows of a matrix `(n * units, ...)` to `padded` rows."""
        parts = matrix.reshape(-1, self.units, *matrix.shape[1:])
        padded = np.zeros((len(parts), self.padded, *matrix.shape[1:]), np.float32)
        padded[:, : self.units] = parts
        return padded.reshape(-1, *matrix.shape[1:])

    def pad_columns(self, matrix: np.ndarray) -> np.ndarray:
        """Pads every `units` columns of a matrix `(rows, n * units)` to `padded` columns."""
        return self.pad_rows(matrix.T).T


def split_columns(matrix: np.ndarray) -> np.ndarray:
    """Splits a matrix `(depth, n * BLOCK_COLUMNS)` into `(n, depth, BLOCK_COLUMNS)`."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), -1, BLOCK_COLUMNS).swapaxes(0, 1))


def as_vectors(matrix: np.ndarray) -> np.ndarray:
    """The columns of a matrix `(depth, n)` as one group of vectors, `(1, n, depth)`."""
    return np.ascontiguousarray(matrix.T, np.float32)[None]


def interleave_gates(matrix: np.ndarray, width: Width) -> np.ndarray:
    """Puts the four gates' columns of the same `REGISTER_FLOATS` units next to one another.

    It also halves the weights of the input, forget and output gates, because the kernel computes
    their sigmoid(x) as (1 + tanh(x / 2)) / 2.

    Args:
        matrix: float32 `(rows, 4 * units)`: all columns of the input gate, then those of the
            forget, cell and output gates, as in Keras.
        width: the units of one gate.

    Returns:
        float32 `(rows, 4 * padded)`: `REGISTER_FLOATS` columns of each gate for the first units,
        then for the next units.
    """
    gates = width.pad_columns(matrix).reshape(len(matrix), 4, -1, REGISTER_FLOATS)
    gates = gates * np.array([0.5, 0.5, 1, 0.5], np.float32)[:, None, None]
    return np.ascontiguousarray(gates.swapaxes(1, 2)).reshape(len(matrix), -1)
