"""The states of a network without recurrent layers: the vectors of its tokens."""

import numpy as np

from model.folded.layout import Tile, Width


class FoldedEmbedding:
    """Looks up the vectors of tokens; called like `model.folded.lstm.FoldedLSTM`.

    Args:
        embedding: float32 `(ids, units)`.
        width: of a vector.
    """

    def __init__(self, embedding: np.ndarray, *, width: Width) -> None:
        self._vectors = width.pad_columns(embedding)

    def __call__(self, inputs: np.ndarray, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        """The vectors `(tokens + 1, width.padded)`, and that of each document's last token."""
        states = np.zeros((len(inputs) + 1, self._vectors.shape[1]), np.float32)
        states[:-1] = self._vectors[inputs]
        return states, states[tile.lasts]
