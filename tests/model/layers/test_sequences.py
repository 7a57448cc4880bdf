import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from model.layers.sequences import (
    first_real_step,
    last_real_step,
    masked_softmax,
    real_steps,
    reverse_from_time_major,
    reverse_into_time_major,
    reverse_within_length,
    weighted_sum,
)
from tests.model.layers.gradients import gradients

MAX_STEPS = 6


@st.composite
def padded_batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """`(values, length)`: random `(batch, steps, 3)` with padding that is not 0."""
    steps = draw(st.integers(1, MAX_STEPS))
    length = draw(st.lists(st.integers(0, steps), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = rng.normal(size=(len(length), steps, 3)).astype("float32")
    return values, np.array(length, "int32")


@given(batch=padded_batches())
@settings(deadline=None, max_examples=50)
def test_reversal_equals_a_plain_loop_and_is_its_own_inverse(
    batch: tuple[np.ndarray, np.ndarray],
) -> None:
    values, length = batch
    expected = values.copy()
    for row, n in enumerate(length):
        expected[row, :n] = values[row, :n][::-1]

    mirrored = reverse_within_length(values, length)

    np.testing.assert_array_equal(mirrored, expected)
    np.testing.assert_array_equal(reverse_within_length(mirrored, length), values)


@given(batch=padded_batches())
@settings(deadline=None, max_examples=50)
def test_time_major_reversal_is_the_reversal_transposed(
    batch: tuple[np.ndarray, np.ndarray],
) -> None:
    values, length = batch
    by_time = reverse_into_time_major(values, length)
    expected = np.swapaxes(np.asarray(reverse_within_length(values, length)), 0, 1)
    np.testing.assert_array_equal(by_time, expected)
    np.testing.assert_array_equal(reverse_from_time_major(by_time, length), values)


def test_each_time_major_reversal_is_the_gradient_of_the_other() -> None:
    rng = np.random.default_rng(0)
    length = np.array([5, 3, 1, 0], "int32")
    batch_major = keras.Variable(rng.normal(size=(4, 5, 3)))
    time_major = keras.Variable(rng.normal(size=(5, 4, 3)))
    into, back = (rng.normal(size=shape).astype("float32") for shape in ((5, 4, 3), (4, 5, 3)))

    def loss() -> object:
        there = reverse_into_time_major(ops.convert_to_tensor(batch_major), length)
        return ops.sum(there * into) + ops.sum(
            reverse_from_time_major(ops.convert_to_tensor(time_major), length) * back
        )

    found = gradients(loss, [batch_major, time_major])
    np.testing.assert_array_equal(found[0], reverse_from_time_major(into, length))
    np.testing.assert_array_equal(found[1], reverse_into_time_major(back, length))


def test_gradient_of_reversal_is_the_reversed_gradient() -> None:
    rng = np.random.default_rng(0)
    values = keras.Variable(rng.normal(size=(4, 5, 3)))
    upstream = rng.normal(size=(4, 5, 3)).astype("float32")
    length = np.array([5, 3, 1, 0], "int32")

    def loss() -> object:
        return ops.sum(reverse_within_length(ops.convert_to_tensor(values), length) * upstream)

    (gradient,) = gradients(loss, [values])
    np.testing.assert_array_equal(gradient, reverse_within_length(upstream, length))


@given(batch=padded_batches())
@settings(deadline=None, max_examples=50)
def test_first_real_step_equals_a_plain_loop(batch: tuple[np.ndarray, np.ndarray]) -> None:
    values, length = batch
    expected = [row[0] if n else np.zeros(3) for row, n in zip(values, length, strict=True)]
    np.testing.assert_array_equal(first_real_step(values, length), expected)


@given(batch=padded_batches())
@settings(deadline=None, max_examples=50)
def test_last_real_step_equals_a_plain_loop(batch: tuple[np.ndarray, np.ndarray]) -> None:
    values, length = batch
    expected = [row[n - 1] if n else np.zeros(3) for row, n in zip(values, length, strict=True)]
    np.testing.assert_array_equal(last_real_step(ops.convert_to_tensor(values), length), expected)


def test_real_steps_come_before_the_length() -> None:
    mask = np.asarray(real_steps(np.array([0, 1, 3]), 3))
    assert mask.dtype == bool
    assert mask.tolist() == [[False] * 3, [True, False, False], [True] * 3]


@given(batch=padded_batches(), scale=st.sampled_from([0.01, 1.0, 1e4]))
@settings(deadline=None, max_examples=50)
def test_masked_softmax_equals_the_softmax_of_the_real_steps(
    batch: tuple[np.ndarray, np.ndarray], scale: float
) -> None:
    energies, length = batch
    energies = energies * np.float32(scale)
    mask = np.arange(energies.shape[1]) < length[:, None]
    energies[~mask] = 1e30  # padding must not reach the exponential

    weights = np.asarray(masked_softmax(ops.convert_to_tensor(energies), mask))

    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    for row, n in enumerate(length[length > 0]):
        real = energies[length > 0][row, :n].astype("float64")
        expected = np.exp(real - real.max(axis=0))
        expected /= expected.sum(axis=0)
        np.testing.assert_allclose(weights[length > 0][row, :n], expected, rtol=1e-4, atol=1e-6)


def test_masked_softmax_gradient_ignores_padding() -> None:
    energies = keras.Variable([[[1.0], [2.0], [1e30]], [[1e30], [1e30], [1e30]]])
    mask = np.array([[True, True, False], [False, False, False]])

    def loss() -> object:
        weights = masked_softmax(ops.convert_to_tensor(energies), mask)
        return ops.sum(weights * np.array([[[1.0], [3.0], [5.0]]], "float32"))

    (gradient,) = gradients(loss, [energies])
    share = 1 / (1 + np.exp(-1.0))  # the second step's weight; d/de2 of 1 + 2 * share
    expected = 2 * share * (1 - share)
    np.testing.assert_allclose(gradient[0, :, 0], [-expected, expected, 0], atol=1e-6)
    assert (gradient[1] == 0).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_masked_softmax_of_half_precision_energies_sums_to_one(dtype: str) -> None:
    energies = ops.cast(np.random.default_rng(0).normal(size=(2, 200, 1)), dtype)
    weights = masked_softmax(energies, np.ones((2, 200), bool))
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    np.testing.assert_allclose(ops.sum(weights, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("heads", [1, 3])
def test_weighted_sum_and_its_gradients_equal_plain_loops(heads: int) -> None:
    rng = np.random.default_rng(0)
    weights = keras.Variable(rng.normal(size=(2, 5, heads)))
    states = keras.Variable(rng.normal(size=(2, 5, 4)))
    upstream = rng.normal(size=(2, heads, 4)).astype("float32")
    w, h = np.asarray(weights), np.asarray(states)
    total, by_weight, by_state = np.zeros_like(upstream), np.zeros_like(w), np.zeros_like(h)
    for row, step, head in np.ndindex(w.shape):
        total[row, head] += w[row, step, head] * h[row, step]
        by_weight[row, step, head] = upstream[row, head] @ h[row, step]
        by_state[row, step] += w[row, step, head] * upstream[row, head]

    def loss() -> object:
        return ops.sum(weighted_sum(ops.copy(weights), ops.copy(states)) * upstream)

    np.testing.assert_allclose(weighted_sum(w, h), total, atol=1e-5)
    found = gradients(loss, [weights, states])
    np.testing.assert_allclose(found[0], by_weight, atol=1e-5)
    np.testing.assert_allclose(found[1], by_state, atol=1e-5)
