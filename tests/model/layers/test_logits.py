"""Logits against float64 references in NumPy, up to scores of 1e4."""

from collections.abc import Callable

import numpy as np
import pytest
from keras import Variable, ops
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax

from model.layers.logits import (
    MeanOverSteps,
    log_mean_exp,
    mean_over_steps,
    probabilities_of,
    two_logits,
)
from tests.model.layers.gradients import gradients

STEPS, LABELS = 4, 3
LENGTH = np.array([4, 2, 1, 0])
MASK = np.arange(STEPS) < LENGTH[:, None]
SCALES = [1.0, 20.0, 1e4]


def scores(scale: float, labels: int = LABELS) -> np.ndarray:
    return scale * np.random.default_rng(0).normal(size=(len(LENGTH), STEPS, labels))


def reference_mean(steps: np.ndarray, *, exclusive: bool) -> np.ndarray:
    """The logits of one document of real steps `(n, labels)`, in float64."""

    def log_mean(values: np.ndarray) -> np.ndarray:
        return logsumexp(values, axis=0) - np.log(len(values))

    if exclusive:
        return log_mean(log_softmax(steps, axis=1))
    return log_mean(log_expit(steps)) - log_mean(log_expit(-steps))


def finite_differences(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences of a scalar function, in float64."""
    found = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        step = np.zeros_like(at)
        step[index] = 1e-5
        found[index] = (function(at + step) - function(at - step)) / 2e-5
    return found


@pytest.mark.parametrize("scale", SCALES)
def test_probabilities_equal_softmax_and_sigmoid(scale: float) -> None:
    logits = scores(scale)[0].astype("float32")
    wide = logits.astype("float64")
    np.testing.assert_allclose(
        probabilities_of(logits, head="softmax"), softmax(wide, axis=1), rtol=1e-4, atol=1e-37
    )
    np.testing.assert_allclose(
        probabilities_of(logits, head="multilabel"), expit(wide), rtol=1e-4, atol=1e-37
    )


@pytest.mark.parametrize("score", [-1e4, -20.0, 0.3, 20.0, 1e4])
def test_two_logits_stand_for_the_sigmoid_and_its_complement(score: float) -> None:
    logits = two_logits(np.array([[score]], "float32"))
    found = np.asarray(probabilities_of(logits, head="sigmoid"))
    np.testing.assert_allclose(found, [[expit(-score), expit(score)]], rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("scale", SCALES)
def test_mean_over_steps_equals_the_reference(scale: float, exclusive: bool) -> None:
    values = scores(scale).astype("float32")
    found = np.asarray(mean_over_steps(values, MASK, exclusive=exclusive))
    for row, n in enumerate(LENGTH[LENGTH > 0]):
        expected = reference_mean(values[row, :n].astype("float64"), exclusive=exclusive)
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-6)
    assert (found[LENGTH == 0] == 0).all()


@pytest.mark.parametrize("head", ["softmax", "multilabel"])
def test_its_probabilities_are_the_mean_of_those_of_the_steps(head: str) -> None:
    values = scores(3.0).astype("float32")
    logits = mean_over_steps(values, MASK, exclusive=head == "softmax")
    steps = np.asarray(probabilities_of(values, head=head))
    for row, n in enumerate(LENGTH[LENGTH > 0]):
        np.testing.assert_allclose(
            probabilities_of(logits, head=head)[row], steps[row, :n].mean(axis=0), atol=1e-6
        )


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_gradients_equal_finite_differences(scale: float, exclusive: bool) -> None:
    values = scores(scale)
    weights = np.random.default_rng(1).normal(size=(len(LENGTH), LABELS))

    def reference(changed: np.ndarray) -> float:
        means = [
            reference_mean(changed[row, :n], exclusive=exclusive)
            for row, n in enumerate(LENGTH[LENGTH > 0])
        ]
        return float(np.sum(weights[LENGTH > 0] * means))

    variable = Variable(values, dtype="float32")

    def loss() -> object:
        means = mean_over_steps(ops.copy(variable), MASK, exclusive=exclusive)
        return ops.sum(ops.convert_to_tensor(weights, "float32") * means)

    [found] = gradients(loss, [variable])
    np.testing.assert_allclose(found, finite_differences(reference, values), rtol=1e-3, atol=1e-5)
    assert (found[~MASK] == 0).all()


@pytest.mark.parametrize("exclusive", [True, False])
def test_gradients_are_finite_for_scores_of_ten_thousand(exclusive: bool) -> None:
    values = scores(1e4)
    values[~MASK] = 1e30  # what stands at padding does not matter
    variable = Variable(values, dtype="float32")

    def loss() -> object:
        return ops.sum(mean_over_steps(ops.copy(variable), MASK, exclusive=exclusive))

    [found] = gradients(loss, [variable])
    assert np.isfinite(found).all()
    assert (found[~MASK] == 0).all()


def test_the_log_of_a_mean_does_not_overflow_or_vanish() -> None:
    values = np.array([[[1e4], [1e4], [0.0]], [[-1e4], [-1e4 + 1], [0.0]]], "float32")
    mask = np.array([[True, True, True], [True, True, False]])
    expected = [[1e4 + np.log(2 / 3)], [-1e4 + np.log((1 + np.e) / 2)]]
    np.testing.assert_allclose(log_mean_exp(values, mask), expected, rtol=1e-6)


def test_the_layer_is_saved_with_its_argument() -> None:
    layer = MeanOverSteps(exclusive=False, dtype="float32", name="mean_over_steps")
    assert MeanOverSteps.from_config(layer.get_config()).exclusive is False
