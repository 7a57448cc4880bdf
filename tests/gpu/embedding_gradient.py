"""The time of an embedding's gradient: JAX's scatter, and `model.layers.jax_gather`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from model.layers.jax_gather import take_rows
from tests.gpu.speed_cells import Sizes, median_seconds

STEPS = 5


def measure_embedding_gradients(sizes: Sizes, *, documents: int) -> dict[str, float]:
    """Milliseconds of one gradient of a batch, by way of taking the rows."""
    table = jnp.zeros((sizes.vocabulary, sizes.embedding))
    shape = (documents, sizes.tokens)
    ids = jnp.asarray(np.random.default_rng(0).integers(0, sizes.vocabulary, shape), "int32")
    ways: dict[str, Callable[[Any], Any]] = {
        "scatter": lambda table: jnp.take(table, ids, axis=0),
        "sorted": lambda table: take_rows(sizes.vocabulary, table, ids),
    }
    milliseconds = {}
    for name, take in ways.items():
        _, pull_back = jax.vjp(take, table)
        gradient = jax.jit(pull_back)
        upstream = jnp.ones((*shape, sizes.embedding))

        def run(gradient: Any = gradient, upstream: Any = upstream) -> None:
            for _ in range(STEPS):
                (found,) = gradient(upstream)
            found.block_until_ready()

        milliseconds[name] = 1000 * median_seconds(run) / STEPS
    return milliseconds
