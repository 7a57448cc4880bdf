"""Passes of a batch with TensorFlow."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from model.layers.sequences import Tensor
from model.training.backends.passes import Parts, Passes


class TensorFlowPasses(Passes):
    """`Passes`, on a tape that computes the gradients of the weights.

    Args:
        parts: of the network.
        inputs: of the batch.
        noise: for `noise`.
        tape: records the passes, except those that `gradient` makes.
    """

    def __init__(
        self,
        parts: Parts,
        inputs: Mapping[str, Any],
        noise: keras.random.SeedGenerator,
        tape: tf.GradientTape,
    ) -> None:
        self._parts = parts
        self._inputs = dict(inputs)
        self._noise = noise
        self._tape = tape
        self._start = [tf.identity(seed.value) for seed in parts.seeds]
        self.vectors = parts.embed(self._inputs)
        self.length = inputs["length"]
        self.logits = parts.run(self._inputs, self.vectors)

    @override
    def run(self, vectors: Tensor) -> Tensor:
        for seed, start in zip(self._parts.seeds, self._start, strict=True):
            seed.assign(start)
        return self._parts.run(self._inputs, vectors)

    @override
    def gradient(self, loss: Callable[[Tensor], Tensor], vectors: Tensor) -> Tensor:
        with self._tape.stop_recording():
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(vectors)
                value = loss(self.run(vectors))
            return tape.gradient(value, vectors)

    @override
    def noise(self) -> Tensor:
        return keras.random.normal(tf.shape(self.vectors), dtype="float32", seed=self._noise)
