"""The average of a network's weights over the last epochs of its training."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np


class RunningAverage:
    """Weights averaged over about `epochs` epochs, kept beside the weights that are trained.

    With a constant learning rate, the weights move around a minimum of the loss. Their mean is
    nearer to the minimum than the weights after any single step, and the loss is flatter there.
    With the weights w_e at the end of epoch e,

        a_e = a_(e-1) + (w_e - a_(e-1)) / min(epochs, e).

    That is the plain mean up to epoch `epochs`. After that epoch, the influence of an older epoch
    decreases with every further one.

    Reference: Polyak & Juditsky, 1992; Izmailov et al., "Averaging Weights Leads to Wider Optima
    and Better Generalization", 2018.

    Args:
        network: the network that is trained.
        epochs: how many epochs to average over; with 1, nothing is averaged.
    """

    def __init__(self, network: keras.Model, *, epochs: int) -> None:
        self.network = network
        self.epochs = epochs
        self._weights: list[np.ndarray] | None = None

    def add(self, epoch: int) -> None:
        """Adds the network's weights at the end of `epoch`, counted from 1, to the average."""
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
        """Gives the network the averaged weights within the block, the trained ones after it."""
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
        """Writes the average to a `.npz` file; writes nothing if `epochs` is 1."""
        if self._weights is not None:
            np.savez(path, *self._weights)

    def load(self, path: Path) -> None:
        """Reads the average that `save` wrote; reads nothing if `epochs` is 1."""
        if self.epochs > 1:
            with np.load(path, allow_pickle=False) as weights:
                self._weights = [weights[f"arr_{index}"] for index in range(len(weights))]
