"""The forward pass as a function that JAX compiles, once for each shape of a batch."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from model.layers.sequences import Tensor

# JAX compiles a function anew for each shape of its arguments, which takes seconds. So the number
# of rows is rounded up to a power of this, and the number of steps to a multiple of the other.
ROWS_POWER = 4
STEPS_MULTIPLE = 16


def compile_with_jax(
    network: keras.Model, *, full_precision: bool
) -> Callable[[np.ndarray, np.ndarray], tuple[Tensor, Tensor]]:
    """Compiles the forward pass with JAX; see `model.layers.forward`."""

    @jax.jit
    def compute(
        weights: list[Any], states: list[Any], inputs: dict[str, Any]
    ) -> tuple[jax.Array, jax.Array]:
        outputs, _ = network.stateless_call(weights, states, inputs, training=False)
        return outputs["probabilities"], outputs["attention"]

    precision = "highest" if full_precision else None

    def forward(token_ids: np.ndarray, length: np.ndarray) -> tuple[jax.Array, jax.Array]:
        inputs = _padded(token_ids, length)
        weights = [variable.value for variable in network.trainable_variables]
        states = [variable.value for variable in network.non_trainable_variables]
        with jax.default_matmul_precision(precision):
            outputs: tuple[jax.Array, jax.Array] = compute(weights, states, inputs)
        for output in outputs:
            output.copy_to_host_async()
        return outputs

    return forward


def _padded(token_ids: np.ndarray, length: np.ndarray) -> dict[str, np.ndarray]:
    """The inputs, with rows of length 0 and steps of padding added."""
    rows, steps = token_ids.shape
    more_rows = _round_rows(rows) - rows
    more_steps = -steps % STEPS_MULTIPLE
    return {
        "token_ids": np.pad(token_ids.astype(np.int32), ((0, more_rows), (0, more_steps))),
        "length": np.pad(length.astype(np.int32), (0, more_rows)),
    }


@functools.cache
def _round_rows(rows: int) -> int:
    size = ROWS_POWER
    while size < rows:
        size *= ROWS_POWER
    return size
