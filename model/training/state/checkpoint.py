"""The checkpoint of a training: everything that the next epoch depends on, in a local folder."""

import dataclasses
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model.bundle.weights_file import read_weights, write_weights
from model.layers.weights import assign_weights, copy_weights
from model.metrics.names import LOSS
from model.training.state.averaging import WeightAverage

logger = logging.getLogger("limelight")

# The file that is written last and says to which epoch the other files belong. A folder without it
# holds no complete checkpoint.
STATE = "state.json"

_BEST = "best.weights.safetensors"
_WEIGHTS, _OPTIMIZER, _SEEDS = "weights.safetensors", "optimizer.npz", "seeds.npz"
_AVERAGE = "average.npz"


@dataclasses.dataclass
class TrainingState:
    """The progress of a training, apart from weights and optimizer.

    Attributes:
        history: one row per epoch.
        best_epoch: the epoch with the best validation metric, counted from 1; 0 before the first.
    """

    history: list[dict[str, float]]
    best_epoch: int = 0

    def is_last_best(self, monitor: str) -> bool:
        """Whether the last epoch is better than the best one before it, on validation."""
        if self.best_epoch == 0:
            return True
        name = f"validation_{monitor}"
        last, best = self.history[-1][name], self.history[self.best_epoch - 1][name]
        return last < best if monitor == LOSS else last > best

    def is_out_of_patience(self, patience: int | None) -> bool:
        """Whether `patience` epochs have passed since the best one; None never stops early."""
        return patience is not None and len(self.history) - self.best_epoch >= patience


class Checkpoint:
    """Saves and loads the state of a training at the end of an epoch.

    Args:
        folder: a local folder; created if it does not exist.
        network: its weights are saved.
        trainee: what Keras trains of it; its optimizer's variables and its random states are saved.
        average: the average of the network's weights; it is saved, too.
    """

    def __init__(
        self,
        folder: Path,
        *,
        network: keras.Model,
        trainee: keras.Model,
        average: WeightAverage,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.network = network
        self.trainee = trainee
        self.optimizer: keras.optimizers.Optimizer = trainee.optimizer
        self.average = average

    def save(self, state: TrainingState) -> None:
        """Saves the end of the last epoch of `state`, then deletes the files of the epoch before.

        `STATE` is replaced last, in one step: if the process is killed before that, the previous
        checkpoint is still complete.
        """
        epoch = len(state.history)
        write_weights(self._file(epoch, _WEIGHTS), copy_weights(self.network))
        self.average.save(self._file(epoch, _AVERAGE))
        optimizer: dict[str, Any] = {}
        self.optimizer.save_own_variables(optimizer)
        np.savez(self._file(epoch, _OPTIMIZER), **optimizer)
        seeds = [np.asarray(variable.value) for variable in self._random_states()]
        np.savez(self._file(epoch, _SEEDS), *seeds)
        complete = self.folder / f"{STATE}.new"
        complete.write_text(json.dumps(dataclasses.asdict(state)), encoding="utf-8")
        complete.replace(self.folder / STATE)
        for path in self.folder.glob(f"epoch-{epoch - 1}.*"):
            path.unlink()

    def resume(self) -> TrainingState:
        """Loads the last complete epoch, if there is one, into network, average and optimizer.

        A checkpoint that cannot be used is deleted, and the training starts from the first epoch:
        one that is damaged, lacks a file, or is of another release.
        """
        path = self.folder / STATE
        if not path.exists():
            return TrainingState(history=[])
        start = [np.array(variable.value) for variable in self._variables()]
        try:
            return self._load(TrainingState(**json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            logger.warning(
                "the checkpoint of this training cannot be used and is deleted; training starts "
                "from the first epoch (%s: %s)",
                type(error).__name__,
                " ".join(str(error).split())[:200],
            )
        for file in (*self.folder.glob("epoch-*"), *self.folder.glob("best.*"), path):
            file.unlink()
        for variable, value in zip(self._variables(), start, strict=True):
            variable.assign(value)
        return TrainingState(history=[])

    def _load(self, state: TrainingState) -> TrainingState:
        epoch = len(state.history)
        read_weights(self.folder / _BEST)  # it is needed at the end
        assign_weights(self.network, read_weights(self._file(epoch, _WEIGHTS)))
        self.average.load(self._file(epoch, _AVERAGE))
        with np.load(self._file(epoch, _OPTIMIZER), allow_pickle=False) as variables:
            self.optimizer.load_own_variables(dict(variables))
        with np.load(self._file(epoch, _SEEDS), allow_pickle=False) as seeds:
            for index, variable in enumerate(self._random_states()):
                variable.assign(seeds[f"arr_{index}"])
        return state

    def save_best(self) -> None:
        """Saves the network's weights as those of the best epoch so far."""
        write_weights(self.folder / _BEST, copy_weights(self.network))

    def load_best(self) -> None:
        """Loads the weights of the best epoch into the network."""
        assign_weights(self.network, read_weights(self.folder / _BEST))

    def _file(self, epoch: int, name: str) -> Path:
        return self.folder / f"epoch-{epoch}.{name}"

    def _variables(self) -> list[keras.Variable]:
        """All that `resume` changes, apart from the average, which the first epoch replaces."""
        return [*self.trainee.variables, *self.optimizer.variables]

    def _random_states(self) -> list[keras.Variable]:
        """The states of random numbers, such as dropout's: variables that are not weights."""
        weights = {id(weight) for weight in self.network.weights}
        return [variable for variable in self.trainee.variables if id(variable) not in weights]
