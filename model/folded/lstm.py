"""One bidirectional LSTM layer of the folded engine."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from model.folded.kernels import run_lstm
from model.folded.layout import Tile, Weights, Width, interleave_gates, split_columns

# With a larger table the first layer is not folded: its ids are looked up in the embedding itself.
MAX_TABLE_BYTES = 1 << 30

_NO_SOURCE = np.empty((1, 0), np.float32)


@dataclasses.dataclass(frozen=True)
class Direction:
    """One direction's weights as `run_lstm` reads them.

    Attributes:
        init: what a step's gates start from: the folded table, or the bias as its only line.
        weights: what the source, if there is one, and the state before are multiplied by.
    """

    init: np.ndarray
    weights: np.ndarray


class FoldedLSTM:
    """Counterpart of `model.layers.bilstm.BiLSTM`.

    Call arguments:
        inputs: int64 token ids `(tokens,)` where there is an embedding, else
            the float32 states of the layer below.
        tile: where the documents lie.

    Returns:
        `(states, final)`: float32 `(tokens + 1, parts * width.padded)`, whose
        last line is spare, and `(rows, parts * width.padded)`, what each
        direction ends with; 2 parts where two directions are concatenated.

    Args:
        directions: weights of the forward and, if there is one, backward LSTM.
        width: of the states of one direction.
        add: whether the two directions are added instead of concatenated.
        embedding: float32 `(ids, features)`, to be folded into the first
            layer; None for a later layer.
    """

    def __init__(
        self,
        directions: Sequence[Weights],
        *,
        width: Width,
        add: bool,
        embedding: np.ndarray | None = None,
    ) -> None:
        self.width = width
        self.add = add
        self.embedding = embedding
        ids = 0 if embedding is None else len(embedding)
        table_bytes = len(directions) * ids * 4 * width.padded * np.float32().nbytes
        self.folded = 0 < table_bytes <= MAX_TABLE_BYTES
        self.directions = [self._lay_out(weights) for weights in directions]

    def _lay_out(self, weights: Weights) -> Direction:
        kernel = interleave_gates(weights["kernel"], self.width)
        init = interleave_gates(weights["bias"][None], self.width)
        stacked = interleave_gates(weights["recurrent_kernel"], self.width)
        stacked = self.width.pad_rows(stacked)
        if self.folded:
            init = self.embedding @ kernel + init
        elif self.embedding is not None:
            stacked = np.concatenate([kernel, stacked])
        else:
            stacked = np.concatenate([self.width.pad_rows(kernel), stacked])
        return Direction(init=init, weights=split_columns(stacked))

    def __call__(self, inputs: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        """Runs both directions; shapes in the class docstring."""
        tokens, units = len(tile.row_of_token), self.width.padded
        only_row = np.zeros(tokens, np.int64)
        if self.folded:
            init_rows, source, source_rows = inputs, _NO_SOURCE, only_row
        elif self.embedding is not None:
            init_rows, source, source_rows = only_row, self.embedding, inputs
        else:
            init_rows, source, source_rows = only_row, inputs, np.arange(tokens)

        states = np.empty((tokens + 1, len(self.directions) * units), np.float32)
        states[-1] = 0
        for number, direction in enumerate(self.directions):
            run_lstm(
                init_rows,
                source_rows,
                tile.starts,
                tile.lengths,
                direction.init,
                source,
                direction.weights,
                states,
                number * units,
                number == 1,
            )
        ends = [states[tile.lasts, :units], states[tile.starts, units:]]
        if self.add:
            return states[:, :units] + states[:, units:], ends[0] + ends[1]
        return states, np.concatenate(ends, axis=1)
