"""The contract of every attention and pooling layer, checked against a NumPy reference."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from tests.model.layers.gradients import gradients

STEPS, WIDTH = 6, 8
MAX_TOKENS = STEPS + 3  # room for extra padding
LENGTH = np.arange(STEPS + 1)  # a row for each length; the first is all padding
MASK = np.arange(STEPS) < LENGTH[:, None]

# (states `(n, WIDTH)` of one text, final `(WIDTH,)`, weights by name) -> (pooled, weights `(n,)`)
Reference = Callable[[np.ndarray, np.ndarray, dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]


def assert_contract(layer: keras.layers.Layer, reference: Reference) -> None:
    """Checks the contract of `Attention` for `layer`, which gets random weights here."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(len(LENGTH), STEPS, WIDTH)).astype("float32")
    final = rng.normal(size=(len(LENGTH), WIDTH)).astype("float32")
    layer(states, MASK, final)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])

    _assert_equals_reference(layer, reference, states, final)
    _assert_ignores_padding_and_neighbors(layer, states, final)
    _assert_finite_gradients(layer, states, final)
    _assert_round_trips(layer, states, final)


def _apply(layer: keras.layers.Layer, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pooled, weights = layer(*inputs)
    return np.asarray(pooled), np.asarray(weights)


def _assert_equals_reference(
    layer: keras.layers.Layer, reference: Reference, states: np.ndarray, final: np.ndarray
) -> None:
    named = {weight.name: np.asarray(weight, "float64") for weight in layer.weights}
    pooled, weights = _apply(layer, states, MASK, final)

    assert weights.shape == (len(LENGTH), STEPS)
    assert weights.dtype == np.float32
    assert (weights >= 0).all()
    assert (weights[~MASK] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), LENGTH > 0, atol=1e-6)
    assert np.isfinite(pooled).all()
    for row, n in enumerate(LENGTH[1:], start=1):
        real = states[row, :n].astype("float64")
        expected_pooled, expected_weights = reference(real, final[row].astype("float64"), named)
        np.testing.assert_allclose(weights[row, :n], expected_weights, atol=1e-5)
        np.testing.assert_allclose(_real_part(pooled[row], n), expected_pooled, atol=1e-5)


def _assert_ignores_padding_and_neighbors(
    layer: keras.layers.Layer, states: np.ndarray, final: np.ndarray
) -> None:
    pooled, weights = _apply(layer, states, MASK, final)

    for row, n in enumerate(LENGTH[1:], start=1):
        alone = states[row : row + 1, :n]
        wide = np.full((1, MAX_TOKENS, WIDTH), 50.0, "float32")
        wide[:, :n] = alone
        for changed in (alone, wide):
            mask = np.arange(changed.shape[1])[None] < n
            new_pooled, new_weights = _apply(layer, changed, mask, final[row : row + 1])
            np.testing.assert_allclose(new_weights[0, :n], weights[row, :n], atol=1e-6)
            assert (new_weights[0, n:] == 0).all()
            np.testing.assert_allclose(
                _real_part(new_pooled[0], n), _real_part(pooled[row], n), atol=1e-5
            )


def _assert_finite_gradients(
    layer: keras.layers.Layer, states: np.ndarray, final: np.ndarray
) -> None:
    """On one token, with and without padding, and on a row that is all padding."""
    for steps, length in ((1, 1), (STEPS, 1), (STEPS, 0)):
        inputs = [keras.Variable(states[:1, :steps]), keras.Variable(final[:1])]
        mask = np.arange(steps)[None] < length

        def loss(inputs: list[keras.Variable] = inputs, mask: np.ndarray = mask) -> Any:
            given_states, given_final = (ops.copy(value) for value in inputs)
            pooled, weights = layer(given_states, mask, given_final)
            return ops.sum(pooled * pooled) + ops.sum(weights * weights)

        for gradient in gradients(loss, [*inputs, *layer.trainable_variables]):
            assert np.isfinite(gradient).all()


def _assert_round_trips(layer: keras.layers.Layer, states: np.ndarray, final: np.ndarray) -> None:
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy(states, MASK, final)
    copy.set_weights(layer.get_weights())

    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()
    for output, expected in zip(
        _apply(copy, states, MASK, final), _apply(layer, states, MASK, final), strict=True
    ):
        np.testing.assert_array_equal(output, expected)


def _real_part(pooled: np.ndarray, n: int) -> np.ndarray:
    """A pooled vector as it is; of a sequence, the real steps."""
    return pooled[:n] if pooled.ndim == 2 else pooled
