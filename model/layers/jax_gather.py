"""Rows of a table on a GPU with JAX, with a gradient that is fast and always the same."""

import functools

import jax
import jax.numpy as jnp


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def take_rows(rows: int, table: jax.Array, ids: jax.Array) -> jax.Array:
    """`table[ids]`, whose gradient adds up the rows of equal ids in a fixed order.

    JAX's own gradient is a scatter. On a GPU its threads add in any order, so that results differ
    from run to run; if JAX is told to repeat its results to the bit, it adds one row after the
    other (`python -m tests.gpu.run` measures it). Here the rows are sorted by id, and a prefix sum
    that starts anew at every id adds them in the same tree each time.

    Args:
        rows: of the table.
        table: float32 `(rows, units)`.
        ids: int32 `(batch, steps)`.

    Returns:
        float32 `(batch, steps, units)`.
    """
    return jnp.take(table, ids, axis=0)


def _forward(rows: int, table: jax.Array, ids: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.take(table, ids, axis=0), ids


def _backward(rows: int, ids: jax.Array, upstream: jax.Array) -> tuple[jax.Array, None]:
    order = jnp.argsort(ids.reshape(-1), stable=True)
    sorted_ids = ids.reshape(-1)[order]
    gradients = upstream.reshape(-1, upstream.shape[-1])[order]
    differs = sorted_ids[1:] != sorted_ids[:-1]
    is_first = jnp.concatenate([jnp.ones(1, bool), differs])[:, None]
    is_last = jnp.concatenate([differs, jnp.ones(1, bool)])
    sums, _ = jax.lax.associative_scan(_add_unless_first, (gradients, is_first))
    # Only the last sum of an id is complete; the others go beyond the table, which drops them.
    places = jnp.where(is_last, sorted_ids, rows + jnp.arange(len(sorted_ids)))
    whole = jnp.zeros((rows, gradients.shape[-1]), gradients.dtype)
    return whole.at[places].set(sums, mode="drop", unique_indices=True), None


def _add_unless_first(
    left: tuple[jax.Array, jax.Array], right: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (left_sum, left_first), (right_sum, right_first) = left, right
    return jnp.where(right_first, right_sum, left_sum + right_sum), left_first | right_first


take_rows.defvjp(_forward, _backward)
