"""The network with its optimizer, learning rate schedule, loss and metrics, as Keras trains it."""

from typing import Any

import keras
from keras import ops
from typing_extensions import override

from model.config import Head, TrainingConfig
from model.layers.sequences import Tensor
from model.training.backends.current import training_backend
from model.training.devices import Devices
from model.training.further_losses import FurtherLosses
from model.training.losses import make_loss
from model.training.targets import NO_LABEL, hard_labels_of, teaches

# The metric that is reported as the loss: the mean of -log p, as on validation. The loss that
# training minimizes also contains the L2 penalty and label smoothing.
LOG_LOSS = "log_loss"


def compile_network(
    network: keras.Model,
    *,
    head: Head,
    config: TrainingConfig,
    steps: int,
    devices: Devices,
    soft_labels: bool = False,
    labeled_share: float = 1.0,
) -> keras.Model:
    """Makes a Keras model of the same layers that has only the output `logits`, compiled.

    Args:
        network: from `build_classifier`; it shares its weights with the result.
        head: of the network; it decides the loss and what accuracy means.
        config: optimizer, learning rate and its schedule, smoothing, clipping.
        steps: batches of the whole training, for the schedule of the learning rate.
        devices: of the training; the network was built with their precision. Many gradients are
            too small for float16, so with mixed_float16 the loss is multiplied by a large number
            before they are computed, and they are divided by it before the optimizer clips and
            uses them.
        soft_labels: the batches have what `truth_of_documents` returns. The reported loss is then
            the cross-entropy with the targets; accuracy is that of the hard labels.
        labeled_share: as for `make_loss`.
    """
    backend = training_backend()
    right = exact_matches if head == "multilabel" else right_labels
    accuracy = (HardLabelMean if soft_labels else DocumentMean)(right, name="accuracy")
    log_loss = make_loss(head, label_smoothing=0, soft_labels=soft_labels)
    further = None
    if config.has_further_losses:
        further = FurtherLosses(
            head=head, config=config, soft_labels=soft_labels, labeled_share=labeled_share
        )
    trainee = backend.make_trainee(network, network.output["logits"], further)
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps=steps)
    optimizer = backend.make_optimizer(config, learning_rate=rate)
    if devices.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    trainee.compile(
        optimizer=optimizer,
        loss=make_loss(
            head,
            label_smoothing=config.label_smoothing,
            soft_labels=soft_labels,
            labeled_share=labeled_share,
        ),
        weighted_metrics=[accuracy, DocumentMean(log_loss, name=LOG_LOSS)],
        steps_per_execution=backend.batches_per_call(devices.names),
        jit_compile=backend.JIT_COMPILE,
        auto_scale_loss=False,  # it would follow Keras's global dtype policy, which is not used
    )
    trainee.optimizer.build(trainee.trainable_variables)
    return trainee


@keras.saving.register_keras_serializable(package="limelight")
class DocumentMean(keras.metrics.MeanMetricWrapper):
    """The mean of a function over the documents, whatever they weigh in the loss.

    Validation does not weight its documents either. Rows of weight 0 are left out: a batch may be
    filled up with rows that are no documents. Documents without a label are left out, too.
    """

    @override
    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        weight = ops.cast(teaches(y_true), "float32")
        if sample_weight is not None:
            weight *= ops.cast(ops.convert_to_tensor(sample_weight) > 0, "float32")
        super().update_state(y_true, y_pred, weight)


@keras.saving.register_keras_serializable(package="limelight")
class HardLabelMean(DocumentMean):
    """The mean over the documents that have a hard label, of what `truth_of_documents` returned."""

    @override
    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        labels = hard_labels_of(y_true, y_pred)
        labeled = ops.cast(ops.not_equal(labels[:, 0], NO_LABEL), "float32")
        weight = labeled if sample_weight is None else labeled * ops.cast(sample_weight, "float32")
        super().update_state(labels, y_pred, weight)


def right_labels(truth: Tensor, logits: Tensor) -> Tensor:
    """1 for each document whose label is right, else 0; their mean is the accuracy.

    Args:
        truth: label indices `(batch,)`.
        logits: float32 `(batch, labels)`.

    Returns:
        float32 `(batch,)`.
    """
    predicted = ops.argmax(logits, axis=-1)
    right = ops.equal(predicted, ops.cast(ops.reshape(truth, (-1,)), predicted.dtype))
    return ops.cast(right, "float32")


def exact_matches(truth: Tensor, logits: Tensor) -> Tensor:
    """1 for each document whose whole set of labels is right, else 0.

    Their mean is the accuracy that `model.metrics.multilabel.exact_match` computes on validation.

    Args:
        truth: `(batch, labels)` of 0 and 1.
        logits: float32 `(batch, labels)`; a label is predicted from 0 on, a probability of 1/2.

    Returns:
        float32 `(batch,)`.
    """
    right = ops.equal(ops.greater_equal(logits, 0), ops.cast(truth, "bool"))
    return ops.cast(ops.all(right, axis=-1), "float32")
