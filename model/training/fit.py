"""fit(): trains a network epoch by epoch, keeps the best epoch, and resumes after it was killed.

The loop over epochs is written here; Keras runs the steps within an epoch. The batches of an epoch
depend on `(seed, epoch)` alone, and the whole state at its end is saved. A training that is killed
and resumed therefore ends with the same weights as one that was never interrupted.
"""

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model.config import ConfigError, Head, ResolvedTrainingConfig, TrainingConfig
from model.layers.keras_engine import KerasEngine
from model.layers.token_embedding import TokenEmbedding
from model.metrics.names import MONITORED_METRICS
from model.training.backends.current import training_backend
from model.training.batches import training_batches
from model.training.class_weights import balance_documents
from model.training.compiled_network import LOG_LOSS, compile_network
from model.training.counted_batches import CountedBatches
from model.training.devices import Devices, batch_size_on
from model.training.evaluation import evaluate_split
from model.training.examples import Examples
from model.training.history import History
from model.training.state.averaging import make_average
from model.training.state.checkpoint import Checkpoint, TrainingState
from model.training.targets import has_label, most_likely_labels
from model.training.unlabeled import documents_of_epoch, join_unlabeled, unlabeled_of_epoch


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The documents that a network is trained on.

    Attributes:
        train: the training split.
        validation: the split on which the best epoch is chosen; None: the last epoch is kept.
        labels: the label names, by index.
        unlabeled: documents for the losses that need no label; None: there are none.
    """

    train: Examples
    validation: Examples | None
    labels: tuple[str, ...]
    unlabeled: Examples | None = None


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
    """The result of `fit`: `network` holds the best epoch's weights.

    An ensemble, which was not trained itself, has no history, and 0 as its best epoch.
    """

    network: keras.Model
    history: list[dict[str, float]]
    best_epoch: int


# Seeds, determinism and the devices of a network under construction are settings of the whole
# process. Two trainings in threads of one process would change them for each other, and share the
# same cores or GPUs: they take turns.
_one_training_at_a_time = threading.Lock()


def fit(
    build: Callable[[Devices], keras.Model],
    data: TrainingData,
    *,
    head: Head,
    config: ResolvedTrainingConfig,
    devices: Devices,
    seed: int,
    checkpoints: Path,
    hooks: Hooks,
) -> Fitted:
    """Trains a network, from its last checkpoint if there is one.

    Trainings in several threads of a process take turns.

    Args:
        build: makes the untrained network for the devices' precision and kernels; called after
            the seed is set.
        data: what to learn from.
        head: of the network; it decides the loss.
        config: optimizer, epochs, patience and the like.
        devices: from `model.training.devices.choose_devices`.
        seed: determines initial weights, dropout and the order of documents.
        checkpoints: a local folder that holds the state at the end of the last complete epoch.
        hooks: functions to call while training.

    Raises:
        ConfigError: if every document has the weight 0, or training diverges.
    """
    with training_process(config, devices, seed=seed):
        network = build(devices)
        examples = _join_examples(data, config)
        trainee = _compile(network, data, examples, head=head, config=config, devices=devices)
        average = make_average(network, trainee.optimizer, config=config)
        checkpoint = Checkpoint(checkpoints, network=network, trainee=trainee, average=average)
        epochs = _Epochs(
            trainee=trainee,
            examples=examples,
            labeled=data.train.rows,
            config=config,
            devices=devices,
            seed=seed,
            hooks=hooks,
        )
        with normalized_vectors(network, examples, config):
            state = train_epochs(
                epochs.train,
                functools.partial(_validate, KerasEngine(network), data),
                config=config,
                checkpoint=checkpoint,
                on_epoch=hooks.on_epoch,
            )
    return Fitted(network=network, history=state.history, best_epoch=state.best_epoch)


def _compile(
    network: keras.Model,
    data: TrainingData,
    examples: Examples,
    *,
    head: Head,
    config: ResolvedTrainingConfig,
    devices: Devices,
) -> keras.Model:
    """The network as Keras trains it on `examples`, the labeled ones of which come first."""
    labeled = data.train.rows
    documents = labeled + unlabeled_of_epoch(labeled, examples.rows - labeled)
    return compile_network(
        network,
        head=head,
        config=config,
        steps=config.epochs * -(-documents // batch_size_on(devices, config)),
        devices=devices,
        soft_labels=data.train.soft_labels is not None,
        labeled_share=labeled / documents,
    )


def train_epochs(
    train: Callable[[int], dict[str, float]],
    validate: Callable[[], dict[str, float]],
    *,
    config: ResolvedTrainingConfig,
    checkpoint: Checkpoint,
    on_epoch: Callable[[Path, History], None],
) -> TrainingState:
    """Trains the epochs that the checkpoint does not have; the network ends as after the best.

    Args:
        train: trains the epoch of this number; returns the columns of its row of the history.
        validate: returns the columns that are measured on validation; none without that split.
        config: epochs, patience, and the column that picks the best epoch. Without the columns of
            validation, that is the last one.
        checkpoint: of the network.
        on_epoch: called when the checkpoint of an epoch is complete.
    """
    average = checkpoint.average
    state = checkpoint.resume()
    while len(state.history) < config.epochs and not state.is_out_of_patience(config.patience):
        epoch = len(state.history) + 1
        started = time.monotonic()
        row = train(epoch)
        average.add(epoch)
        with average.applied():
            measured = validate()
            seconds = round(time.monotonic() - started, 2)
            state.history.append({**row, **measured, "seconds": seconds})
            if not measured or state.is_last_best(config.monitor):
                state.best_epoch = epoch
                checkpoint.save_best()
        checkpoint.save(state)
        on_epoch(checkpoint.folder, state.history)
    checkpoint.load_best()
    return state


@contextlib.contextmanager
def normalized_vectors(
    network: keras.Model, examples: Examples, config: TrainingConfig
) -> Iterator[None]:
    """Inside this context the word vectors are normalized, if they are changed in training.

    After it, the table holds the normalized ones.
    """
    embedding: TokenEmbedding = network.get_layer("embedding")
    if config.perturbs:
        embedding.normalize(np.bincount(examples.ids, minlength=embedding.input_dim))
    yield
    if config.perturbs:
        embedding.end_normalization()


def _join_examples(data: TrainingData, config: TrainingConfig) -> Examples:
    """The labeled documents, weighted, and after them the unlabeled ones, if a loss needs them."""
    examples = weigh_examples(data.train, config)
    if data.unlabeled is None or not config.learns_from_unlabeled:
        return examples
    return join_unlabeled(examples, data.unlabeled)


def weigh_examples(examples: Examples, config: TrainingConfig) -> Examples:
    """The examples, their weights multiplied by those of `training.class_weights`.

    Raises:
        ConfigError: if every document has the weight 0.
    """
    if not examples.weights.any():
        raise ConfigError(
            "corpus.columns.weight: expected a training document with a weight above 0, got none: "
            "nothing could be learned. Check the column, or leave it out."
        )
    if config.class_weights == "none":
        return examples
    labels = examples.labels
    if examples.soft_labels is not None:
        labels = most_likely_labels(labels, examples.soft_labels)
    weights = examples.weights * balance_documents(labels)
    return dataclasses.replace(examples, weights=weights)


@contextlib.contextmanager
def training_process(config: TrainingConfig, devices: Devices, *, seed: int) -> Iterator[None]:
    """Inside this context a process builds and trains one network, with these settings."""
    backend = training_backend()
    repeatable = backend.deterministic() if config.deterministic else contextlib.nullcontext()
    with _one_training_at_a_time, repeatable, backend.on_devices(devices.names):
        keras.utils.set_random_seed(seed)
        yield


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Epochs:
    """Trains a compiled network, one epoch a call."""

    trainee: keras.Model
    examples: Examples
    labeled: int  # how many of `examples` have a label, the first ones
    config: ResolvedTrainingConfig
    devices: Devices
    seed: int
    hooks: Hooks

    def train(self, epoch: int) -> dict[str, float]:
        """Trains for one epoch; returns the columns of its row of the history."""
        examples = self.examples
        documents = documents_of_epoch(
            self.labeled, examples.rows - self.labeled, seed=self.seed, epoch=epoch
        )
        size = min(batch_size_on(self.devices, self.config), len(documents))
        rows = self.devices.batch_rows(size)

        batches = CountedBatches(
            training_batches(
                examples,
                batch_size=size,
                rows=rows,
                seed=self.seed,
                epoch=epoch,
                soft_labels=self.config.soft_labels,
                documents=documents,
            ),
            batch_size=size,
            documents=len(documents),
            on_batch=self.hooks.on_batch,
        )
        fed = training_backend().feed(batches)
        logs = self.trainee.fit(fed, verbose=0, shuffle=False).history
        loss, accuracy = logs[LOG_LOSS][-1], logs["accuracy"][-1]
        check_finite(
            self.trainee,
            loss,
            epoch=epoch,
            learning_rate=self.config.learning_rate,
            section="training",
        )
        row = {"epoch": float(epoch), "loss": loss}
        # Without a hard label, nothing is known to be right.
        return row | {"accuracy": accuracy} if has_label(examples.labels).any() else row


def check_finite(
    trainee: keras.Model, loss: float, *, epoch: int, learning_rate: float, section: str
) -> None:
    """Checks the loss of an epoch and the weights after it.

    Raises:
        ConfigError: if one is not a number; `section` of the config has the learning rate.
    """
    # A step may end in weights that are not numbers after its loss was measured.
    weights = trainee.trainable_variables
    if np.isfinite(loss) and all(bool(keras.ops.all(keras.ops.isfinite(each))) for each in weights):
        return
    advice = "Lower the rate"
    advice += ", or set training.gradient_clip" if section == "training" else ""
    raise ConfigError(
        f"{section}.learning_rate: expected a loss and weights that are numbers, got a loss of "
        f"{loss} in epoch {epoch}: training diverged at {learning_rate:g}. {advice}."
    )


def _validate(engine: KerasEngine, data: TrainingData) -> dict[str, float]:
    """The columns of an epoch's row that are measured on the validation split, if there is one."""
    if data.validation is None:
        return {}
    measured: dict[str, Any] = dict(evaluate_split(engine, data.validation, labels=data.labels))
    return {f"validation_{name}": measured[name] for name in MONITORED_METRICS if name in measured}
