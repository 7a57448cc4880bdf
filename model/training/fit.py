"""fit(): epochs of training, the best one kept, and resume after a kill.

The loop over epochs is ours and the steps within one are Keras's: an epoch's
batches depend on `(seed, epoch)` alone and its end state is saved whole, so a
run that was killed and resumed continues as if nothing had happened.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from model.config import ConfigError, Head, NetworkConfig, TrainingConfig
from model.layers.forward import INFERENCE_BATCH_ROWS, Forward, trace_forward
from model.metrics.evaluation import evaluate
from model.metrics.names import LOSS, MONITORED_METRICS
from model.training.averaging import RunningAverage
from model.training.dataset import Shards, evaluation_batches, training_batches
from model.training.devices import choose_strategy
from model.training.history import History
from model.training.optimizers import OPTIMIZERS

# Batches that TensorFlow trains on before Python hears of it: where batches are small, what Python
# does between two of them takes as long as a quarter of the training.
BATCHES_A_CALL = 10

# Names the files of the last whole epoch; a checkpoint without it is none.
STATE = "state.json"

# The mean of -log p as validation has it: what is minimized holds penalties and smoothing too.
LOG_LOSS = "log_loss"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the caller is told while training runs.

    Attributes:
        on_batch: called, every few batches, with how many more documents were trained on.
        on_epoch: called with the checkpoint folder and the history when an epoch is
            saved whole.
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
    *,
    train: Shards,
    validation: Shards | None,
    labels: tuple[str, ...],
    label_counts: Sequence[int],
    network_config: NetworkConfig,
    config: TrainingConfig,
    seed: int,
    checkpoints: Path,
    hooks: Hooks,
) -> Fitted:
    """Trains a network, from its last checkpoint if there is one.

    Args:
        build: makes the untrained network; called after the seed is set.
        train: what to learn from.
        validation: what the best epoch is chosen on; None keeps the last one.
        labels: the label names, by index.
        label_counts: training documents of each label, for balanced weights.
        network_config: decides the loss (its head) beside `config`.
        config: optimizer, loss, epochs, patience.
        seed: determines initial weights, dropout and the order of documents.
        checkpoints: a local folder; holds the state of the last whole epoch.
        hooks: what the caller hears.

    Raises:
        ConfigError: if the loss of an epoch is not finite.
    """
    # Without this, sums in threads make two runs of one seed drift apart.
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    strategy = choose_strategy()
    steps = config.epochs * -(-train.rows // config.batch_size)
    with strategy.scope():
        network = build()
        trainee = _compile(network, network_config=network_config, config=config, steps=steps)
    label_weights = balance_labels(label_counts) if config.class_weights == "balanced" else None
    average = RunningAverage(network, epochs=config.average_epochs)
    state = _resume(trainee, network, average, checkpoints)
    forward = trace_forward(network)
    for epoch in range(len(state.history) + 1, config.epochs + 1):
        if _out_of_patience(state, config):
            break
        started = time.monotonic()
        batches = training_batches(
            train,
            batch_size=config.batch_size,
            seed=seed,
            epoch=epoch,
            label_weights=label_weights,
        )
        logs = trainee.fit(
            batches,
            verbose=0,
            shuffle=False,
            callbacks=[_CountDocuments(hooks, train.rows, config)],
        ).history
        row = {"epoch": float(epoch), "loss": logs[LOG_LOSS][-1], "accuracy": logs["accuracy"][-1]}
        if not np.isfinite(row["loss"]):
            raise ConfigError(
                f"training.learning_rate: expected a loss that is a number, got {row['loss']} in "
                f"epoch {epoch}: training diverged at {config.learning_rate:g}. Lower it, or set "
                "training.gradient_clip."
            )
        average.add(epoch)
        with average.applied():
            if validation is not None:
                measured: Mapping[str, Any] = evaluate(
                    *predict(forward, validation),
                    labels=labels,
                    multilabel=network_config.head == "multilabel",
                )
                row |= {
                    f"validation_{name}": measured[name]
                    for name in MONITORED_METRICS
                    if name in measured
                }
            state.history.append({**row, "seconds": round(time.monotonic() - started, 2)})
            if validation is None or _is_better(state, config.monitor):
                state.best_epoch = epoch
                network.save_weights(checkpoints / "best.weights.h5")
        _save(trainee, network, average, checkpoints, state)
        hooks.on_epoch(checkpoints, state.history)
    network.load_weights(checkpoints / "best.weights.h5")
    return Fitted(network=network, history=state.history, best_epoch=state.best_epoch)


def predict(forward: Forward, shards: Shards) -> tuple[np.ndarray, np.ndarray]:
    """The network's probabilities for every document of a split, and the truth.

    Args:
        forward: from `trace_forward`.
        shards: of the split.

    Returns:
        `(probabilities, truth)`: float32 `(rows, labels)`, and int64 `(rows,)` label
        indices or `(rows, labels)` multi-hot.
    """
    probabilities, truth = [], []
    for inputs, label, _ in evaluation_batches(shards, batch_size=INFERENCE_BATCH_ROWS):
        probabilities.append(forward(inputs)["probabilities"].numpy())
        truth.append(label.numpy())
    return np.concatenate(probabilities), np.concatenate(truth)


@dataclasses.dataclass
class _State:
    """What a checkpoint remembers beside weights and optimizer."""

    history: list[dict[str, float]]
    best_epoch: int = 0


def _compile(
    network: keras.Model, *, network_config: NetworkConfig, config: TrainingConfig, steps: int
) -> keras.Model:
    """The same layers with only the output that is trained, compiled for `steps` batches."""
    trainee = keras.Model(network.inputs, network.output["probabilities"])
    if network_config.head == "multilabel":
        accuracy: keras.metrics.Metric = keras.metrics.MeanMetricWrapper(
            _whole_sets, name="accuracy"
        )
    else:
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps=steps)
    optimizer = OPTIMIZERS[config.optimizer](rate, global_clipnorm=config.gradient_clip)
    trainee.compile(
        optimizer=optimizer,
        loss=make_loss(network_config.head, label_smoothing=config.label_smoothing),
        # Without the documents' weights, as validation is measured.
        metrics=[
            accuracy,
            keras.metrics.MeanMetricWrapper(
                make_loss(network_config.head, label_smoothing=0), name=LOG_LOSS
            ),
        ],
        steps_per_execution=batches_a_call(tf.distribute.get_strategy()),
        jit_compile=False,  # compiling for every length of batch costs more than it gains
    )
    trainee.optimizer.build(trainee.trainable_variables)
    return trainee


def batches_a_call(strategy: tf.distribute.Strategy) -> int:
    """How many batches are trained on before Python hears of it.

    One for several replicas: there Keras 3.15 fails at the end of an epoch with more.
    """
    return BATCHES_A_CALL if strategy.num_replicas_in_sync == 1 else 1


def _whole_sets(truth: Any, probabilities: Any) -> Any:
    """1 where all of a document's labels are right, as `model.metrics.multilabel` counts."""
    predicted = keras.ops.greater_equal(probabilities, 0.5)
    right = keras.ops.equal(predicted, keras.ops.cast(truth, "bool"))
    return keras.ops.cast(keras.ops.all(right, axis=-1), "float32")


def make_loss(head: Head, *, label_smoothing: float) -> Callable[[Any, Any], Any]:
    """The mean negative log likelihood of labels, or of each label for `multilabel`.

    Smoothing by e replaces the true distribution q by (1 - e) q + e / labels
    (Szegedy et al., 2016, section 7).
    """

    def loss(truth: Any, probabilities: Any) -> Any:
        if head == "multilabel":
            return keras.losses.binary_crossentropy(
                truth, probabilities, label_smoothing=label_smoothing
            )
        one_hot = keras.ops.one_hot(keras.ops.reshape(truth, (-1,)), probabilities.shape[-1])
        return keras.losses.categorical_crossentropy(
            one_hot, probabilities, label_smoothing=label_smoothing
        )

    return loss


def balance_labels(counts: Sequence[int]) -> np.ndarray:
    """Weights by which every label counts the same: documents / (labels * documents of it).

    Returns:
        float32 `(labels,)`; 0 for a label without a document. Their mean over the
        documents is 1.
    """
    documents = np.asarray(counts, np.float64)
    present = documents > 0
    share = np.divide(1, documents, out=np.zeros_like(documents), where=present)
    return (documents.sum() / present.sum() * share).astype(np.float32)


def _is_better(state: _State, monitor: str) -> bool:
    """Whether the last epoch beats the best one so far on the validation split."""
    if state.best_epoch == 0:
        return True
    name = f"validation_{monitor}"
    last, best = state.history[-1][name], state.history[state.best_epoch - 1][name]
    return last < best if monitor == LOSS else last > best


def _out_of_patience(state: _State, config: TrainingConfig) -> bool:
    return config.patience is not None and len(state.history) - state.best_epoch >= config.patience


def _save(
    trainee: keras.Model,
    network: keras.Model,
    average: RunningAverage,
    folder: Path,
    state: _State,
) -> None:
    """Saves an epoch's end; `STATE` names the files and is written last."""
    epoch = len(state.history)
    network.save_weights(folder / f"epoch-{epoch}.weights.h5")
    average.save(folder / f"epoch-{epoch}.average.npz")
    optimizer: dict[str, Any] = {}
    trainee.optimizer.save_own_variables(optimizer)
    np.savez(folder / f"epoch-{epoch}.optimizer.npz", **optimizer)
    seeds = [np.asarray(variable.value) for variable in _dropout_seeds(network)]
    np.savez(folder / f"epoch-{epoch}.seeds.npz", *seeds)
    complete = folder / f"{STATE}.new"
    complete.write_text(json.dumps(dataclasses.asdict(state)), encoding="utf-8")
    complete.replace(folder / STATE)
    for path in folder.glob(f"epoch-{epoch - 1}.*"):
        path.unlink()


def _resume(
    trainee: keras.Model, network: keras.Model, average: RunningAverage, folder: Path
) -> _State:
    """Loads the last whole epoch, if any, into the network, its average and its optimizer."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STATE
    if not path.exists():
        return _State(history=[])
    state = _State(**json.loads(path.read_text(encoding="utf-8")))
    epoch = len(state.history)
    network.load_weights(folder / f"epoch-{epoch}.weights.h5")
    average.load(folder / f"epoch-{epoch}.average.npz")
    with np.load(folder / f"epoch-{epoch}.optimizer.npz", allow_pickle=False) as variables:
        trainee.optimizer.load_own_variables(dict(variables))
    with np.load(folder / f"epoch-{epoch}.seeds.npz", allow_pickle=False) as seeds:
        for index, variable in enumerate(_dropout_seeds(network)):
            variable.assign(seeds[f"arr_{index}"])
    return state


def _dropout_seeds(network: keras.Model) -> list[keras.Variable]:
    """The states of dropout's random numbers: variables that are not weights."""
    weights = {id(weight) for weight in network.weights}
    return [variable for variable in network.variables if id(variable) not in weights]


class _CountDocuments(keras.callbacks.Callback):
    """Tells the caller how many documents of an epoch were trained on."""

    def __init__(self, hooks: Hooks, rows: int, config: TrainingConfig) -> None:
        super().__init__()
        self.hooks = hooks
        self.rows = rows
        self.batch_size = config.batch_size
        self.told = 0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """`batch` is the index of the last one, which Keras counts as if there were no end."""
        trained = min((batch + 1) * self.batch_size, self.rows)
        self.hooks.on_batch(trained - self.told)
        self.told = trained
