"""The forward pass as a TensorFlow graph."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from model.layers.sequences import Tensor


def trace_with_tensorflow(
    network: keras.Model, *, full_precision: bool
) -> Callable[[np.ndarray, np.ndarray], tuple[Tensor, Tensor]]:
    """Traces one graph for every batch size and length; see `model.layers.forward`."""
    if full_precision:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    signature = (tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32))

    @tf.function(input_signature=signature)
    def graph(token_ids: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        outputs = network({"token_ids": token_ids, "length": length}, training=False)
        return outputs["probabilities"], outputs["attention"]

    def forward(token_ids: np.ndarray, length: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        outputs: tuple[tf.Tensor, tf.Tensor] = graph(
            tf.constant(token_ids, tf.int32), tf.constant(length, tf.int32)
        )
        return outputs

    return forward
