"""The gradient of rows that are taken several times, against a sum by hand."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

UNITS, ROWS = 5, 11


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (8, 50)])
def test_rows_of_equal_ids_are_added_up(shape):
    from model.layers.jax_gather import take_rows

    random = np.random.default_rng(0)
    table = random.normal(size=(ROWS, UNITS)).astype(np.float32)
    ids = random.integers(0, ROWS - 1, shape).astype(np.int32)  # the last row is never taken
    upstream = random.normal(size=(*shape, UNITS)).astype(np.float32)
    taken, gradient_of = jax.vjp(lambda table: take_rows(ROWS, table, ids), table)
    np.testing.assert_array_equal(taken, table[ids])
    expected = np.zeros((ROWS, UNITS))
    np.add.at(expected, ids, upstream)
    [gradient] = gradient_of(upstream)
    np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_nothing_is_scattered_to_a_row_twice():
    """XLA makes a scatter slow, or its order random, unless it is told that no index repeats."""
    from model.layers.jax_gather import take_rows

    def loss(table):
        return take_rows(ROWS, table, jax.numpy.zeros((2, 3), "int32")).sum()

    lowered = jax.jit(jax.grad(loss)).lower(np.zeros((ROWS, UNITS), np.float32)).as_text()
    scatters = [part for part in lowered.split("\n") if "stablehlo.scatter" in part]
    assert scatters
    assert all("unique_indices = true" in part for part in scatters)
