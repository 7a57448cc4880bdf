"""Training with TensorFlow; `model.training.backends.protocol.Backend` describes the methods."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.util import _pywrap_determinism
from typing_extensions import override

from model.training.backends.batch import Batch
from model.training.backends.passes import Further, Parts
from model.training.backends.protocol import Backend
from model.training.backends.tensorflow_further import TensorFlowPasses
from model.training.backends.tensorflow_optimizers import OPTIMIZERS

# Batches that are copied to the device ahead of the one that is trained on.
BATCHES_AHEAD = 4


class Trainee(keras.Model):
    """A model whose optimizer gets the gradients of the whole batch, summed over the devices.

    Keras's optimizers add up the devices' gradients themselves, but only after each has clipped
    its own part and looked for overflows in it alone: the step would depend on the number of
    devices.
    """

    @override
    def train_step(self, data: Any) -> dict[str, Any]:
        inputs, label, weight = data
        with tf.GradientTape(persistent=True) as tape:
            logits, losses = self._compute(inputs, label, weight, tape)
            scaled = [self.optimizer.scale_loss(loss) for loss in losses]
        variables = self.trainable_variables
        values = [variable.value for variable in variables]
        gradients = _add_up([tape.gradient(loss, values) for loss in scaled])
        gradients = [_add_up_rows(gradient) for gradient in gradients]
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync > 1:
            # With several devices every row of an embedding has a gradient: TensorFlow would
            # exchange the rows of each device, which are almost as many.
            whole = [tf.convert_to_tensor(gradient) for gradient in gradients]
            gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, whole)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return dict(self.compute_metrics(inputs, label, logits, weight))

    def _compute(
        self, inputs: Any, label: Any, weight: Any, tape: tf.GradientTape
    ) -> tuple[Any, list[Any]]:
        """The logits of a batch, and the losses whose sum is minimized, computed on a tape."""
        logits = self(inputs, training=True)
        return logits, [self.compute_loss(inputs, label, logits, weight, training=True)]


class FurtherTrainee(Trainee):
    """A trainee whose loss contains further losses.

    Args:
        network: from `model.layers.classifier`.
        logits: its output of this name.
        further: the further losses.
    """

    def __init__(self, network: keras.Model, logits: Any, further: Further) -> None:
        super().__init__(network.inputs, logits)
        self._parts = Parts(network, logits)
        self._further = further
        self._noise = keras.random.SeedGenerator()

    @override
    def _compute(
        self, inputs: Any, label: Any, weight: Any, tape: tf.GradientTape
    ) -> tuple[Any, list[Any]]:
        passes = TensorFlowPasses(self._parts, inputs, self._noise, tape)
        loss = self.compute_loss(inputs, label, passes.logits, weight, training=True)
        # Each device has a part of the batch, and their gradients are added up.
        devices = tf.distribute.get_replica_context().num_replicas_in_sync
        further = self._further(passes, label)
        return passes.logits, [loss, *(tf.reduce_mean(each * weight) / devices for each in further)]


def _add_up(parts: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """The sums of the gradients of several losses, which repeat to the bit.

    Not with `tf.add`, nor by one gradient of the sum of the losses: TensorFlow adds three tensors
    in an order that depends on the names of the graph's nodes, which differ between the first and
    the second training of a process.
    """
    if len(parts) == 1:
        return parts[0]
    return [
        tf.reduce_sum(tf.stack([tf.convert_to_tensor(each) for each in gradients]), axis=0)
        for gradients in zip(*parts, strict=True)
    ]


def _add_up_rows(gradient: Any) -> Any:
    """The gradient of an embedding with one row for each token; of other weights, as it is.

    TensorFlow gives a row for each time that a token occurs in the batch. Keras 3.15 squares these
    rows one by one in Adam and RMSprop, where the square of their sum is meant: the steps of
    frequent tokens would be too long, and others than on several devices or on JAX.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    tokens, places = tf.unique(tf.reshape(gradient.indices, (-1,)))
    rows = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(tokens))
    return tf.IndexedSlices(rows, tokens, gradient.dense_shape)


class TensorFlowBackend(Backend):
    """TensorFlow; `Backend` describes the methods."""

    # XLA would compile for every length of batch, which takes more time than it saves.
    JIT_COMPILE = False
    CUDNN_IN_HALF_PRECISION = True
    OPTIMIZERS = OPTIMIZERS

    @override
    def list_gpus(self) -> list[str]:
        return [f"GPU:{index}" for index, _ in enumerate(tf.config.get_visible_devices("GPU"))]

    @override
    def describe_gpu(self, gpu: str) -> str:
        index = int(gpu.rpartition(":")[2])
        device = tf.config.get_visible_devices("GPU")[index]
        return str(tf.config.experimental.get_device_details(device).get("device_name", gpu))

    @override
    def batches_per_call(self, devices: Sequence[str]) -> int:
        # With one small batch per call, Python's work between two calls would take a quarter of the
        # time. With several devices and more batches, Keras 3.15 fails at the end of an epoch.
        return 10 if len(devices) == 1 else 1

    @override
    @contextmanager
    def on_devices(self, devices: Sequence[str]) -> Iterator[None]:
        if len(devices) > 1:
            with tf.distribute.MirroredStrategy(list(devices)).scope():
                yield
        else:
            # TensorFlow takes the first GPU by itself, and keeps what has no kernel there on the
            # CPU. Only a CPU beside a GPU must be asked for.
            with tf.device(devices[0]) if devices[0].startswith("cpu") else nullcontext():
                yield

    @override
    @contextmanager
    def deterministic(self) -> Iterator[None]:
        # Without this, threads add numbers in varying order. TensorFlow has no public function that
        # ends it, and it makes other work of the process slower, such as scoring on a GPU.
        before = _pywrap_determinism.is_enabled()
        tf.config.experimental.enable_op_determinism()
        try:
            yield
        finally:
            _pywrap_determinism.enable(before)

    @override
    def make_trainee(
        self, network: keras.Model, logits: Any, further: Further | None = None
    ) -> keras.Model:
        if further is not None:
            return FurtherTrainee(network, logits, further)
        return Trainee(network.inputs, logits)

    @override
    def feed(self, batches: Sequence[Batch]) -> tf.data.Dataset:
        structure = batches[0]
        arrays = keras.tree.flatten(structure)
        types = [tf.as_dtype(array.dtype) for array in arrays]

        def take(index: np.ndarray) -> list[np.ndarray]:
            flat: list[np.ndarray] = keras.tree.flatten(batches[int(index)])
            return flat

        def make(index: tf.Tensor) -> Any:
            tensors = tf.numpy_function(take, [index], types)
            for tensor, array in zip(tensors, arrays, strict=True):
                tensor.set_shape(_any_steps(array))
            return keras.tree.pack_sequence_as(structure, tensors)

        options = tf.data.Options()
        # Autotuning's thread sleeps twice as long each time, and an epoch cannot end before it
        # wakes: with it, 7 s of training took 10 s, and 11 s took 20 s.
        options.autotune.enabled = False
        # Not `from_generator`: TensorFlow 2.21 then makes the whole process give freed memory back
        # to the system at once (M_TRIM_THRESHOLD), and page faults double the time of a training.
        dataset = tf.data.Dataset.range(len(batches)).map(make)
        return dataset.prefetch(BATCHES_AHEAD).with_options(options)


def _any_steps(array: np.ndarray) -> tuple[int | None, ...]:
    """The shape of all batches: they differ in the second axis of `token_ids` alone."""
    is_ids = array.dtype == np.int32 and array.ndim == 2
    return (len(array), None) if is_ids else array.shape
