"""Pooling without attention, for the folded engine.

`model.layers.pooling` has the equations. Here the documents of a tile lie end to end, without
padding steps, and the units that pad a state to whole registers are 0, as are their weights.
"""

import numpy as np
from typing_extensions import override

from model.config import NetworkConfig
from model.folded.document_kernels import sum_weighted, take_largest
from model.folded.layout import Tile, Width
from model.weights import Weights


class FoldedPooling:
    """Turns the states of a tile into one vector per document and one weight per token.

    Args:
        weights: of the network's layer.
        width: of the states of one direction.
        config: of the network.

    Call arguments:
        states: float32 `(tokens, width)`.
        final: float32 `(rows, width)`: the last state of each direction.
        tile: the lengths of the documents.

    Returns:
        `(pooled, weights)`: float32, one row for each document, or for each token if the
        sequence is kept; and float32 `(tokens,)`.

    Attributes:
        output: how the columns of `pooled` are padded.
    """

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        self.output = width

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pools the states; shapes in the class docstring."""
        raise NotImplementedError


class FoldedFinalPooling(FoldedPooling):
    """The last state of each direction, as in `model.layers.pooling.FinalPooling`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.share_of_last = 1 / config.directions

    @override
    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        weights = np.zeros(len(states), np.float32)
        weights[tile.lasts] = self.share_of_last
        weights[tile.starts] += 1 - self.share_of_last
        return final, weights


class FoldedLastPooling(FoldedPooling):
    """The last token's state, as in `model.layers.pooling.LastPooling`."""

    @override
    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        weights = np.zeros(len(states), np.float32)
        weights[tile.lasts] = 1
        return states[tile.lasts], weights


class FoldedMeanPooling(FoldedPooling):
    """The mean of the states, as in `model.layers.pooling.MeanPooling`."""

    @override
    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        weights = np.repeat((1 / tile.lengths).astype(np.float32), tile.lengths)
        return sum_weighted(states, weights[:, None], tile.starts, tile.lengths), weights


class FoldedMaxPooling(FoldedPooling):
    """Each unit's largest value, as in `model.layers.pooling.MaxPooling`."""

    @override
    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        pooled, winners = take_largest(states, tile.starts, tile.lengths)
        real = np.arange(states.shape[1]) % self.output.padded < self.output.units
        weights = np.bincount(winners[:, real].ravel(), minlength=len(states)) / real.sum()
        return pooled, weights.astype(np.float32)
