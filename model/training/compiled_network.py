"""The network with its optimizer, learning rate schedule, loss and metrics, as Keras trains it."""

from typing import Any

import keras
import tensorflow as tf

from model.config import Head, TrainingConfig
from model.training.losses import make_loss
from model.training.optimizers import OPTIMIZERS

# Batches that TensorFlow trains on in one call from Python. With one small batch per call, Python's
# work between two calls would take a quarter of the training's time.
BATCHES_PER_CALL = 10

# The metric that is reported as the loss: the mean of -log p, as on validation. The loss that
# training minimizes also contains the L2 penalty and label smoothing.
LOG_LOSS = "log_loss"


def compile_network(
    network: keras.Model, *, head: Head, config: TrainingConfig, steps: int
) -> keras.Model:
    """Makes a Keras model of the same layers that has only the output `probabilities`, compiled.

    Args:
        network: from `build_classifier`; it shares its weights with the result.
        head: of the network; it decides the loss and what accuracy means.
        config: optimizer, learning rate and its schedule, smoothing, clipping.
        steps: batches of the whole training, for the schedule of the learning rate.
    """
    trainee = keras.Model(network.inputs, network.output["probabilities"])
    if head == "multilabel":
        accuracy: keras.metrics.Metric = keras.metrics.MeanMetricWrapper(
            exact_matches, name="accuracy"
        )
    else:
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps=steps)
    optimizer = OPTIMIZERS[config.optimizer](rate, global_clipnorm=config.gradient_clip)
    trainee.compile(
        optimizer=optimizer,
        loss=make_loss(head, label_smoothing=config.label_smoothing),
        # `metrics`, not `weighted_metrics`: validation does not weight its documents either.
        metrics=[
            accuracy,
            keras.metrics.MeanMetricWrapper(make_loss(head, label_smoothing=0), name=LOG_LOSS),
        ],
        steps_per_execution=batches_per_call(tf.distribute.get_strategy()),
        # XLA would compile for every length of batch, which takes more time than it saves.
        jit_compile=False,
    )
    trainee.optimizer.build(trainee.trainable_variables)
    return trainee


def batches_per_call(strategy: tf.distribute.Strategy) -> int:
    """How many batches TensorFlow trains on in one call from Python.

    With several replicas it is one, because with more Keras 3.15 fails at the end of an epoch.
    """
    return BATCHES_PER_CALL if strategy.num_replicas_in_sync == 1 else 1


def exact_matches(truth: Any, probabilities: Any) -> Any:
    """1 for each document whose whole set of labels is right, else 0.

    Their mean is the accuracy that `model.metrics.multilabel.exact_match` computes on validation.

    Args:
        truth: `(batch, labels)` of 0 and 1.
        probabilities: float `(batch, labels)`.

    Returns:
        float32 `(batch,)`.
    """
    predicted = keras.ops.greater_equal(probabilities, 0.5)
    right = keras.ops.equal(predicted, keras.ops.cast(truth, "bool"))
    return keras.ops.cast(keras.ops.all(right, axis=-1), "float32")
