"""Gradients on whichever backend Keras runs on."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np


def gradients(loss: Callable[[], Any], variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """The gradient of the scalar `loss()` with respect to each variable that it reads."""
    if keras.backend.backend() == "jax":
        import jax

        def stateless(values: list[Any]) -> Any:
            with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return loss()

        found = jax.grad(stateless)([variable.value for variable in variables])
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        watched = [variable.value for variable in variables]
        found = tape.gradient(value, watched, unconnected_gradients="zero")
        found = [tf.convert_to_tensor(gradient) for gradient in found]
    return [np.asarray(gradient) for gradient in found]
