"""The forward pass of a network as one compiled function, and the device that computes it.

This module is the seam to the backend: `tensorflow_forward` and `jax_forward` compile.
"""

import contextlib
from collections.abc import Callable
from typing import TypeAlias

import keras
import numpy as np

from model.layers.sequences import Tensor

# From `token_ids` int32 `(rows, steps)` and `length` int32 `(rows,)` to `probabilities` and
# `attention`, tensors of the backend with at least as many rows and steps; what is beyond them has
# no meaning. The call may return before the device has computed them; `np.asarray` waits.
Forward: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[Tensor, Tensor]]


def compile_forward(network: keras.Model, *, full_precision: bool = False) -> Forward:
    """Compiles the inference of a network for every batch size and length.

    Compile it on the machine that runs it: Keras chooses cuDNN's kernel only if that machine has a
    GPU. The function computes with the weights that the network has when it is called.

    Args:
        network: from `model.layers.classifier.build_classifier`.
        full_precision: on a GPU, multiply in float32. Otherwise recent GPUs round the factors of
            products to 10 bits (TF32). With TensorFlow this holds for the whole process.
    """
    if keras.backend.backend() == "jax":
        from model.layers.jax_forward import compile_with_jax

        return compile_with_jax(network, full_precision=full_precision)
    from model.layers.tensorflow_forward import trace_with_tensorflow

    return trace_with_tensorflow(network, full_precision=full_precision)


def on_cpu() -> contextlib.AbstractContextManager[object]:
    """Inside this context networks are built, and computed, on the CPU, also if there is a GPU."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.default_device(jax.local_devices(backend="cpu")[0])
    import tensorflow as tf

    return tf.device("CPU:0")


def has_gpu() -> bool:
    """Whether the backend sees a GPU that it may use."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.default_backend() == "gpu"
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))
