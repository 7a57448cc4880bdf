"""The forward pass as one traced graph: padded ids to probabilities and attention weights."""

from collections.abc import Callable

import keras
import tensorflow as tf

# The documents of one batch: in evaluation, by the Keras engine and by the SavedModel.
INFERENCE_BATCH_ROWS = 256

Forward = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


def trace_forward(network: keras.Model) -> Forward:
    """Traces the network as one graph for every batch size and length.

    Trace the graph on the machine that runs it: Keras puts cuDNN's kernel into a graph only if the
    machine that traces it has a GPU.

    Returns:
        A function from `token_ids` int32 `(batch, steps)` and `length` int32 `(batch,)` to
        `probabilities` float32 `(batch, labels)` and `attention` float32 `(batch, steps)`. It
        computes with the weights that the network has when it is called.
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
