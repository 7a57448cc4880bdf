"""Trains a language model epoch by epoch and resumes after it was killed, as `fit` does."""

import dataclasses
import functools
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
from typing_extensions import override

from model.config import NetworkConfig, ResolvedTrainingConfig
from model.layers.sequences import Tensor
from model.text.vocabulary import Vocabulary
from model.training.backends.current import training_backend
from model.training.batches import training_batches
from model.training.counted_batches import CountedBatches
from model.training.devices import Devices
from model.training.examples import Examples
from model.training.fit import (
    Fitted,
    Hooks,
    check_finite,
    normalized_vectors,
    train_epochs,
    training_process,
)
from model.training.pretraining.language_model import build_language_model, weigh_tokens
from model.training.pretraining.perplexity import measure_log_loss
from model.training.pretraining.token_batches import TokenBatches
from model.training.state.averaging import make_average
from model.training.state.checkpoint import Checkpoint


@dataclasses.dataclass(frozen=True, kw_only=True)
class LanguageData:
    """The documents that a language model learns from; their labels are not read.

    Attributes:
        train: of the splits train and unlabeled.
        validation: the split on which perplexity is measured; None: it is not, and the last epoch
            is kept.
        vocabulary: of the documents.
    """

    train: Examples
    validation: Examples | None
    vocabulary: Vocabulary


def fit_language_model(
    data: LanguageData,
    *,
    network: NetworkConfig,
    config: ResolvedTrainingConfig,
    negative_samples: int,
    embedding_matrix: np.ndarray | None,
    devices: Devices,
    checkpoints: Path,
    hooks: Hooks,
) -> Fitted:
    """Trains a language model, from its last checkpoint if there is one.

    Args:
        data: what to learn from.
        network: the settings of embedding and LSTM.
        config: from `PretrainingConfig.as_training`; its first seed determines everything.
        negative_samples: how many candidates a step has.
        embedding_matrix: initial embedding `(ids, embedding.units)`; random if None.
        devices: where to train; only the first one is used, because all places of a batch share
            the candidates.
        checkpoints: a local folder that holds the state at the end of the last complete epoch.
        hooks: functions to call while training.

    Raises:
        ConfigError: if training diverges.
    """
    devices = dataclasses.replace(devices, names=devices.names[:1], precision="float32")
    with training_process(config, devices, seed=config.seeds[0]):
        counts = np.bincount(data.train.ids, minlength=data.vocabulary.size)
        first = data.vocabulary.first_token_id
        model = build_language_model(
            network,
            counts=counts,
            first_token_id=first,
            embedding_matrix=embedding_matrix,
            cudnn=devices.cudnn,
        )
        epochs = _Epochs(
            trainee=_compile(model, config, documents=data.train.rows, devices=devices),
            data=data,
            token_weights=weigh_tokens(counts, first_token_id=first),
            directions=network.directions,
            config=config,
            negative_samples=negative_samples,
            hooks=hooks,
        )
        average = make_average(model, epochs.trainee.optimizer, config=config)
        with normalized_vectors(model, data.train, config):
            state = train_epochs(
                epochs.train,
                functools.partial(_validate, model, data, network),
                config=config,
                checkpoint=Checkpoint(
                    checkpoints, network=model, trainee=epochs.trainee, average=average
                ),
                on_epoch=hooks.on_epoch,
            )
    return Fitted(network=model, history=state.history, best_epoch=state.best_epoch)


def _compile(
    model: keras.Model, config: ResolvedTrainingConfig, *, documents: int, devices: Devices
) -> keras.Model:
    """The model as Keras trains it."""
    backend = training_backend()
    trainee = backend.make_trainee(model, model.output)
    steps = config.epochs * -(-documents // _batch_size(config, documents))
    rate: Any = keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps=steps)
    trainee.compile(
        optimizer=backend.make_optimizer(config, learning_rate=rate),
        loss=_given_loss,
        weighted_metrics=[PredictionMean(name="log_loss")],
        steps_per_execution=backend.batches_per_call(devices.names),
        jit_compile=backend.JIT_COMPILE,
        auto_scale_loss=False,
    )
    trainee.optimizer.build(trainee.trainable_variables)
    return trainee


def _batch_size(config: ResolvedTrainingConfig, documents: int) -> int:
    assert config.batch_size is not None  # noqa: S101  # the section pretraining has a number
    return min(config.batch_size, documents)


def _given_loss(predictions: Tensor, losses: Tensor) -> Tensor:
    """The model's output is the loss already."""
    return losses


@keras.saving.register_keras_serializable(package="limelight")
class PredictionMean(keras.metrics.Mean):
    """The mean loss of a prediction, from the sums of weights and of weighted losses."""

    @override
    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> Any:
        counts = keras.ops.cast(y_true, "float32")
        return super().update_state(y_pred / keras.ops.maximum(counts, 1e-9), sample_weight=counts)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Epochs:
    """Trains a compiled language model, one epoch a call."""

    trainee: keras.Model
    data: LanguageData
    token_weights: np.ndarray
    directions: int
    config: ResolvedTrainingConfig
    negative_samples: int
    hooks: Hooks

    def train(self, epoch: int) -> dict[str, float]:
        """Trains for one epoch; returns the columns of its row of the history."""
        examples, seed = self.data.train, self.config.seeds[0]
        size = _batch_size(self.config, examples.rows)
        batches = TokenBatches(
            training_batches(examples, batch_size=size, rows=size, seed=seed, epoch=epoch),
            first_token_id=self.data.vocabulary.first_token_id,
            token_weights=self.token_weights,
            negative_samples=self.negative_samples,
            seed=seed,
            epoch=epoch,
            directions=self.directions,
        )
        counted = CountedBatches(
            batches, batch_size=size, documents=examples.rows, on_batch=self.hooks.on_batch
        )
        logs = self.trainee.fit(training_backend().feed(counted), verbose=0, shuffle=False).history
        loss = logs["log_loss"][-1]
        check_finite(
            self.trainee,
            loss,
            epoch=epoch,
            learning_rate=self.config.learning_rate,
            section="pretraining",
        )
        # This is the weighted loss among the candidates. With more of them it is larger.
        return {"epoch": float(epoch), "sampled_loss": loss}


def _validate(model: keras.Model, data: LanguageData, network: NetworkConfig) -> dict[str, float]:
    """The columns of an epoch's row that are measured on the validation split, if there is one."""
    if data.validation is None:
        return {}
    first = data.vocabulary.first_token_id
    loss = measure_log_loss(model, data.validation, network, first_token_id=first)
    if loss is None:
        return {}
    return {"validation_loss": loss, "validation_perplexity": math.exp(loss)}
