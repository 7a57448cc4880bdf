"""fit(): trains a network epoch by epoch, keeps the best epoch, and resumes after it was killed.

The loop over epochs is written here; Keras runs the steps within an epoch. The batches of an epoch
depend on `(seed, epoch)` alone, and the whole state at its end is saved. A training that is killed
and resumed therefore ends with the same weights as one that was never interrupted.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from model.config import ConfigError, Head, TrainingConfig
from model.layers.forward import Forward, trace_forward
from model.metrics.names import MONITORED_METRICS
from model.training.averaging import RunningAverage
from model.training.checkpoint import Checkpoint
from model.training.class_weights import balance_labels
from model.training.compiled_network import LOG_LOSS, compile_network
from model.training.dataset import Shards, training_batches
from model.training.devices import choose_strategy
from model.training.document_counter import DocumentCounter
from model.training.evaluation import evaluate_split
from model.training.history import History


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The documents that a network is trained on.

    Attributes:
        train: the training split.
        validation: the split on which the best epoch is chosen; None: the last epoch is kept.
        labels: the label names, by index.
        label_counts: training documents of each label, for balanced class weights.
    """

    train: Shards
    validation: Shards | None
    labels: tuple[str, ...]
    label_counts: Sequence[int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hooks:
    """Functions that `fit` calls while it trains.

    Attributes:
        on_batch: called every few batches with the number of documents trained on since the last
            call.
        on_epoch: called with the checkpoint folder and the history when the checkpoint of an epoch
            is complete.
    """

    on_batch: Callable[[int], None]
    on_epoch: Callable[[Path, History], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fitted:
    """The result of `fit`: `network` holds the best epoch's weights."""

    network: keras.Model
    history: list[dict[str, float]]
    best_epoch: int


def fit(
    build: Callable[[], keras.Model],
    data: TrainingData,
    *,
    head: Head,
    config: TrainingConfig,
    seed: int,
    checkpoints: Path,
    hooks: Hooks,
) -> Fitted:
    """Trains a network, from its last checkpoint if there is one.

    Args:
        build: makes the untrained network; called after the seed is set.
        data: what to learn from.
        head: of the network; it decides the loss.
        config: optimizer, epochs, patience and the like.
        seed: determines initial weights, dropout and the order of documents.
        checkpoints: a local folder that holds the state at the end of the last complete epoch.
        hooks: functions to call while training.

    Raises:
        ConfigError: if the loss of an epoch is not finite.
    """
    # Without this, threads add numbers in varying order, and two trainings with the same seed end
    # with different weights.
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    steps = config.epochs * -(-data.train.rows // config.batch_size)
    with choose_strategy().scope():
        network = build()
        trainee = compile_network(network, head=head, config=config, steps=steps)
    average = RunningAverage(network, epochs=config.average_epochs)
    checkpoint = Checkpoint(
        checkpoints, network=network, optimizer=trainee.optimizer, average=average
    )
    state = checkpoint.resume()
    forward = trace_forward(network)
    while len(state.history) < config.epochs and not state.is_out_of_patience(config.patience):
        epoch = len(state.history) + 1
        started = time.monotonic()
        row = _train_epoch(trainee, data, epoch=epoch, config=config, seed=seed, hooks=hooks)
        average.add(epoch)
        with average.applied():
            if data.validation is not None:
                row |= _validate(forward, data.validation, labels=data.labels)
            state.history.append({**row, "seconds": round(time.monotonic() - started, 2)})
            if data.validation is None or state.is_last_best(config.monitor):
                state.best_epoch = epoch
                checkpoint.save_best()
        checkpoint.save(state)
        hooks.on_epoch(checkpoints, state.history)
    checkpoint.load_best()
    return Fitted(network=network, history=state.history, best_epoch=state.best_epoch)


def _train_epoch(
    trainee: keras.Model,
    data: TrainingData,
    *,
    epoch: int,
    config: TrainingConfig,
    seed: int,
    hooks: Hooks,
) -> dict[str, float]:
    """Trains for one epoch; returns the columns of its row of the history."""
    balanced = config.class_weights == "balanced"
    batches = training_batches(
        data.train,
        batch_size=config.batch_size,
        seed=seed,
        epoch=epoch,
        label_weights=balance_labels(data.label_counts) if balanced else None,
    )
    counter = DocumentCounter(
        hooks.on_batch, documents=data.train.rows, batch_size=config.batch_size
    )
    logs = trainee.fit(batches, verbose=0, shuffle=False, callbacks=[counter]).history
    loss, accuracy = logs[LOG_LOSS][-1], logs["accuracy"][-1]
    if not np.isfinite(loss):
        raise ConfigError(
            f"training.learning_rate: expected a loss that is a number, got {loss} in "
            f"epoch {epoch}: training diverged at {config.learning_rate:g}. Lower the rate, "
            "or set training.gradient_clip."
        )
    return {"epoch": float(epoch), "loss": loss, "accuracy": accuracy}


def _validate(forward: Forward, shards: Shards, *, labels: Sequence[str]) -> dict[str, float]:
    """The columns of an epoch's row that are measured on the validation split."""
    measured: dict[str, Any] = dict(evaluate_split(forward, shards, labels=labels))
    return {f"validation_{name}": measured[name] for name in MONITORED_METRICS if name in measured}
