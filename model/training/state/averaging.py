"""The average of a network's weights over the last epochs or the last steps of its training.

With a constant learning rate, the weights move around a minimum of the loss. Their mean is nearer
to the minimum than the weights after any single step, and the loss is flatter there. Both averages
here follow one formula. With the weights w_t after epoch, or step, t,

    a_t = a_(t-1) + (w_t - a_(t-1)) / min(n, t).

That is the plain mean of the first n, so the initial weights have no part in it. After that, the
influence of older weights decreases with every further epoch or step.

Reference: Polyak & Juditsky, 1992; Izmailov et al., "Averaging Weights Leads to Wider Optima and
Better Generalization", 2018, for epochs; Tarvainen & Valpola, 2017, for steps.
"""

import abc
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from typing_extensions import override

from model.config import TrainingConfig


class WeightAverage(abc.ABC):
    """Averaged weights of a network, kept beside the weights that are trained."""

    @abc.abstractmethod
    def add(self, epoch: int) -> None:
        """Called at the end of `epoch`, counted from 1, when the network has its weights."""

    @abc.abstractmethod
    def averages(self) -> Sequence[tuple[keras.Variable, Any]]:
        """The weights that differ from their average, and the averages; empty if none does."""

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the network the averaged weights within the block, the trained ones after it."""
        averages = self.averages()
        trained = [np.array(variable) for variable, _ in averages]
        for variable, average in averages:
            variable.assign(average)
        try:
            yield
        finally:
            for (variable, _), value in zip(averages, trained, strict=True):
                variable.assign(value)

    @abc.abstractmethod
    def save(self, path: Path) -> None:
        """Writes what no other part of a checkpoint holds to a `.npz` file, if there is any."""

    @abc.abstractmethod
    def load(self, path: Path) -> None:
        """Reads what `save` wrote."""


def make_average(
    network: keras.Model, optimizer: keras.optimizers.Optimizer, *, config: TrainingConfig
) -> WeightAverage:
    """The average that the config asks for.

    Args:
        network: the network that is trained.
        optimizer: of the training, built.
        config: `average_epochs` and `ema_decay`.
    """
    if config.ema_decay:
        return StepAverage(optimizer)
    return EpochAverage(network, epochs=config.average_epochs)


class EpochAverage(WeightAverage):
    """Weights averaged over about `epochs` epochs, each as it is at the epoch's end.

    Args:
        network: the network that is trained.
        epochs: how many epochs to average over; with 1, nothing is averaged.
    """

    def __init__(self, network: keras.Model, *, epochs: int) -> None:
        self.network = network
        self.epochs = epochs
        self._weights: list[np.ndarray] | None = None

    @override
    def add(self, epoch: int) -> None:
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

    @override
    def averages(self) -> Sequence[tuple[keras.Variable, Any]]:
        if self._weights is None:
            return []
        return list(zip(self.network.weights, self._weights, strict=True))

    @override
    def save(self, path: Path) -> None:
        if self._weights is not None:
            np.savez(path, *self._weights)

    @override
    def load(self, path: Path) -> None:
        if self.epochs > 1:
            with np.load(path, allow_pickle=False) as weights:
                self._weights = [weights[f"arr_{index}"] for index in range(len(weights))]


class StepAverage(WeightAverage):
    """The averages that an optimizer of `model.training.backends.averaging_optimizer` keeps.

    They are variables of the optimizer, so a checkpoint has them already.

    Args:
        optimizer: built; it may be wrapped for half precision.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer) -> None:
        self._optimizer: Any = getattr(optimizer, "inner_optimizer", optimizer)

    @override
    def add(self, epoch: int) -> None:
        pass

    @override
    def averages(self) -> Sequence[tuple[keras.Variable, Any]]:
        return [
            (variable, np.array(average)) for variable, average in self._optimizer.weight_averages
        ]

    @override
    def save(self, path: Path) -> None:
        pass

    @override
    def load(self, path: Path) -> None:
        pass
