"""The states of marked entities, for the folded engine."""

import numpy as np

from model.folded.document_kernels import average_between
from model.folded.layout import Tile
from model.text.markers import Markers


class FoldedEntities:
    """Computes `model.layers.entities.EntityPooling` for a tile.

    Args:
        markers: for each entity the ids of its two markers.
    """

    def __init__(self, markers: Markers) -> None:
        self._markers = np.array(markers, np.int64).reshape(-1, 2)

    def __call__(
        self, pooled: np.ndarray, states: np.ndarray, ids: np.ndarray, tile: Tile
    ) -> np.ndarray:
        """The pooled vectors with the means of the entities beside them.

        Args:
            pooled: float32 `(rows, any)`.
            states: float32 `(tokens, width)`.
            ids: int64 `(tokens,)`.
            tile: the lengths of the documents.

        Returns:
            float32 `(rows, any + entities * width)`; `pooled` itself without entities.
        """
        if not len(self._markers):
            return pooled
        means = average_between(states, ids, tile.starts, tile.lengths, self._markers)
        return np.concatenate([pooled, means], axis=1)
