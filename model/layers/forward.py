"""The network as one traced graph, from padded ids to probabilities and attention."""

from collections.abc import Callable

import keras
import tensorflow as tf

Forward = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


def trace_forward(network: keras.Model) -> Forward:
    """The network as one graph for every batch size and length, traced on this machine.

    Tracing here is what lets a GPU choose cuDNN.
    """
    signature = {
        "token_ids": tf.TensorSpec([None, None], tf.int32),
        "length": tf.TensorSpec([None], tf.int32),
    }

    @tf.function(input_signature=[signature])
    def forward(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = network(inputs, training=False)
        return outputs

    return forward
