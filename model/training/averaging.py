"""The mean of a network's weights over the last epochs of its training."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np


class RunningAverage:
    """Weights averaged over about `epochs` epochs, kept beside those that are trained.

    Stochastic steps of one size circle around a minimum; their mean lies nearer to it, and where
    the loss is flatter, than any of them. With the weights w_e at the end of epoch e,

        a_e = a_(e-1) + (w_e - a_(e-1)) / min(epochs, e),

    which is the plain mean until `epochs` and forgets older ones from there on.

    Reference: Polyak & Juditsky, 1992; Izmailov et al., "Averaging Weights Leads to Wider Optima
    and Better Generalization", 2018.

    Args:
        network: whose weights are trained.
        epochs: over how many to average; with 1 the weights are the average.
    """

    def __init__(self, network: keras.Model, *, epochs: int) -> None:
        self.network = network
        self.epochs = epochs
        self._weights: list[np.ndarray] | None = None

    def add(self, epoch: int) -> None:
        """Takes in the weights as they are at the end of `epoch`, counted from 1."""
        if self.epochs == 1:
            return
        now = self.network.get_weights()
        if self._weights is None:
            self._weights = now
            return
        share = np.float32(1 / min(self.epochs, epoch))
        self._weights = [
            average + share * (weights - average)
            for average, weights in zip(self._weights, now, strict=True)
        ]

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The network with the average for its weights, within the block."""
        if self._weights is None:
            yield
            return
        trained = self.network.get_weights()
        self.network.set_weights(self._weights)
        try:
            yield
        finally:
            self.network.set_weights(trained)

    def save(self, path: Path) -> None:
        """Writes the average, if it is one, to a `.npz` file."""
        if self._weights is not None:
            np.savez(path, *self._weights)

    def load(self, path: Path) -> None:
        """Reads what `save` wrote."""
        if self.epochs > 1:
            with np.load(path, allow_pickle=False) as weights:
                self._weights = [weights[f"arr_{index}"] for index in range(len(weights))]
