"""How the folded engine lays out documents and weights for its kernels."""

import dataclasses
import functools
from typing import TYPE_CHECKING

import numpy as np

from model.folded.kernels import COLUMNS, LANES

if TYPE_CHECKING:
    import keras

Weights = dict[str, np.ndarray]  # of a layer, float32, by name

DIRECTIONS = ("forward_lstm", "backward_lstm")  # the sublayers of `model.layers.bilstm.BiLSTM`


def read_network(network: "keras.Model") -> dict[str, Weights]:
    """Copies the weights of a network of `model.layers.classifier`, by layer.

    Returns:
        The weights of `embedding`, `attention`, `head` and of each direction
        of each recurrent layer, such as `bilstm_1.forward_lstm`.
    """
    layers = {}
    for layer in network.layers:
        for direction in DIRECTIONS:
            lstm = getattr(layer, direction, None)
            if lstm is not None:
                layers[f"{layer.name}.{direction}"] = _copy_weights(lstm)
        if layer.weights and not hasattr(layer, DIRECTIONS[0]):
            layers[layer.name] = _copy_weights(layer)
    return layers


def _copy_weights(layer: "keras.layers.Layer") -> Weights:
    return {weight.name: np.array(weight, np.float32) for weight in layer.weights}


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
        """int64 `(rows,)`: 0, 1, 2, ..."""
        return np.arange(len(self.lengths))

    @functools.cached_property
    def row_of_token(self) -> np.ndarray:
        """int64 `(tokens,)`: the document of each token."""
        return np.repeat(self.rows, self.lengths)

    @functools.cached_property
    def position_of_token(self) -> np.ndarray:
        """int64 `(tokens,)`: each token's place in its document, from 0."""
        return np.arange(len(self.row_of_token)) - self.starts[self.row_of_token]


@dataclasses.dataclass(frozen=True)
class Width:
    """A number of units, filled up with zeros to a multiple of what a kernel takes at a time."""

    units: int
    multiple: int = LANES

    @property
    def padded(self) -> int:
        """`units` and what fills them up."""
        return -(-self.units // self.multiple) * self.multiple

    def pad_rows(self, matrix: np.ndarray) -> np.ndarray:
        """Fills up a matrix `(n * units, ...)`, `units` by `units`, to `(n * padded, ...)`."""
        parts = matrix.reshape(-1, self.units, *matrix.shape[1:])
        padded = np.zeros((len(parts), self.padded, *matrix.shape[1:]), np.float32)
        padded[:, : self.units] = parts
        return padded.reshape(-1, *matrix.shape[1:])

    def pad_columns(self, matrix: np.ndarray) -> np.ndarray:
        """Fills up a matrix `(rows, n * units)` to `(rows, n * padded)`."""
        return self.pad_rows(matrix.T).T


def split_columns(matrix: np.ndarray) -> np.ndarray:
    """The columns of a matrix `(depth, n * COLUMNS)` by blocks: `(n, depth, COLUMNS)`."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), -1, COLUMNS).swapaxes(0, 1))


def as_vectors(matrix: np.ndarray) -> np.ndarray:
    """The columns of a matrix `(depth, n)` as one group of vectors, `(1, n, depth)`."""
    return np.ascontiguousarray(matrix.T, np.float32)[None]


def interleave_gates(matrix: np.ndarray, width: Width) -> np.ndarray:
    """Reorders the columns of LSTM weights from gate by gate to LANES units by LANES units.

    Halves the input, forget and output gates' weights on the way, so that the
    kernel's sigmoid(x) = (1 + tanh(x / 2)) / 2 need not.

    Args:
        matrix: float32 `(rows, 4 * units)`: gates input, forget, cell, output, as in Keras.
        width: the units.

    Returns:
        float32 `(rows, 4 * padded)`: for the first LANES units their four gates
        of LANES columns each, then for the next LANES units.
    """
    gates = width.pad_columns(matrix).reshape(len(matrix), 4, -1, LANES)
    gates = gates * np.array([0.5, 0.5, 1, 0.5], np.float32)[:, None, None]
    return np.ascontiguousarray(gates.swapaxes(1, 2)).reshape(len(matrix), -1)
