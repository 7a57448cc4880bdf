"""One bidirectional LSTM layer of the folded engine."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from model.folded.kernels import run_lstm
from model.folded.layout import Tile, Width, interleave_gates, split_columns
from model.weights import Weights

# If its table would be larger, the first layer is not folded: it multiplies the embeddings.
MAX_TABLE_BYTES = 1 << 30

_NO_INPUTS = np.empty((1, 0), np.float32)


@dataclasses.dataclass(frozen=True)
class Direction:
    """The weights of one direction, as `run_lstm` reads them.

    Attributes:
        initial: the rows that a step's sums start from: the folded table, or only the bias.
        weights: of the inputs, unless they are folded into `initial`, and of the previous state.
    """

    initial: np.ndarray
    weights: np.ndarray


class FoldedLSTM:
    """Computes the same as the layer `model.layers.bilstm.BiLSTM`.

    Call arguments:
        inputs: int64 token ids `(tokens,)` in a layer with an embedding, else
            the float32 states of the layer below.
        tile: the lengths of the documents.

    Returns:
        `(states, final)`: float32 `(tokens + 1, parts * width.padded)`, whose
        last row has no meaning, and `(rows, parts * width.padded)`, the last state of
        each direction. `parts` is 2 if two directions are concatenated, else 1.

    Args:
        directions: weights of the forward LSTM and of the backward one, if there is one.
        width: of the states of one direction.
        sum_directions: whether the two directions are added instead of concatenated.
        embedding: float32 `(ids, features)`, to be folded into the first
            layer; None for a later layer.
    """

    def __init__(
        self,
        directions: Sequence[Weights],
        *,
        width: Width,
        sum_directions: bool,
        embedding: np.ndarray | None = None,
    ) -> None:
        self.width = width
        self.sum_directions = sum_directions
        self.embedding = embedding
        ids = 0 if embedding is None else len(embedding)
        table_bytes = len(directions) * ids * 4 * width.padded * np.float32().nbytes
        self.folded = 0 < table_bytes <= MAX_TABLE_BYTES
        self.directions = [self._lay_out(weights) for weights in directions]

    def _lay_out(self, weights: Weights) -> Direction:
        kernel = interleave_gates(weights["kernel"], self.width)
        initial = interleave_gates(weights["bias"][None], self.width)
        stacked = interleave_gates(weights["recurrent_kernel"], self.width)
        stacked = self.width.pad_rows(stacked)
        if self.folded:
            initial = self.embedding @ kernel + initial
        elif self.embedding is not None:
            stacked = np.concatenate([kernel, stacked])
        else:
            stacked = np.concatenate([self.width.pad_rows(kernel), stacked])
        return Direction(initial=initial, weights=split_columns(stacked))

    def __call__(self, inputs: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        """Runs all directions; shapes in the class docstring."""
        tokens, units = len(tile.row_of_token), self.width.padded
        first_row = np.zeros(tokens, np.int64)
        if self.folded:
            initial_row, matrix, input_row = inputs, _NO_INPUTS, first_row
        elif self.embedding is not None:
            initial_row, matrix, input_row = first_row, self.embedding, inputs
        else:
            initial_row, matrix, input_row = first_row, inputs, np.arange(tokens)

        states = np.empty((tokens + 1, len(self.directions) * units), np.float32)
        states[-1] = 0
        for number, direction in enumerate(self.directions):
            run_lstm(
                initial_row,
                input_row,
                tile.starts,
                tile.lengths,
                direction.initial,
                matrix,
                direction.weights,
                states,
                number * units,
                number == 1,
            )
        ends = [states[tile.lasts, :units], states[tile.starts, units:]]
        if self.sum_directions:
            return states[:, :units] + states[:, units:], ends[0] + ends[1]
        return states, np.concatenate(ends, axis=1)
