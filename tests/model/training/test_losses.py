"""The losses by hand and against float64, and their gradients at logits of 20 and 1e4."""

from typing import Any, get_args

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import expit, log_expit, log_softmax, softmax

from model.config import AttentionConfig, EmbeddingConfig, Head, LSTMConfig, NetworkConfig
from model.layers.classifier import build_classifier
from model.layers.logits import mean_over_steps, two_logits
from model.training.losses import divergence, entropy, make_loss
from tests.model.layers.gradients import gradients

SMALLEST = 1 / (1 + np.exp(20.0))  # sigmoid(-20): 1 minus it is 1 in float32


def test_smoothing_and_the_plain_loss_by_hand():
    truth, logits = np.array([0, 1]), np.log(np.array([[0.8, 0.2], [0.6, 0.4]], np.float32)) + 3
    plain = make_loss("softmax", label_smoothing=0.0)(truth, logits)
    np.testing.assert_allclose(plain, -np.log([0.8, 0.4]), rtol=1e-5)
    smoothed = make_loss("softmax", label_smoothing=0.2)(truth, logits)
    expected = [-0.9 * np.log(0.8) - 0.1 * np.log(0.2), -0.1 * np.log(0.6) - 0.9 * np.log(0.4)]
    np.testing.assert_allclose(smoothed, expected, rtol=1e-5)


def _reference(head: Head, truth: np.ndarray, logits: np.ndarray, smoothing: float) -> np.ndarray:
    if head == "multilabel":
        q = (1 - smoothing) * truth + smoothing / 2
        return -(q * log_expit(logits) + (1 - q) * log_expit(-logits)).mean(axis=1)
    q = (1 - smoothing) * np.eye(logits.shape[1])[truth] + smoothing / logits.shape[1]
    return -(q * log_softmax(logits, axis=1)).sum(axis=1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("scale", [1.0, 20.0, 1e4])
@pytest.mark.parametrize("head", get_args(Head))
def test_losses_and_gradients_equal_the_reference(head, scale, smoothing):
    rng = np.random.default_rng(0)
    logits = (scale * rng.normal(size=(6, 3))).astype("float32")
    if head == "sigmoid":
        logits = np.concatenate([np.zeros((6, 1)), logits[:, :1]], axis=1).astype("float32")
    labels = logits.shape[1]
    truth = (
        rng.integers(0, 2, size=(6, labels)) if head == "multilabel" else rng.integers(0, labels, 6)
    )
    loss = make_loss(head, label_smoothing=smoothing)
    wide = logits.astype("float64")
    expected = _reference(head, truth, wide, smoothing)
    found = np.asarray(loss(truth, logits))
    assert found.shape == (6,)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)

    variable = keras.Variable(logits)
    [gradient] = gradients(lambda: ops.sum(loss(truth, ops.copy(variable))), [variable])
    assert np.isfinite(gradient).all()
    for index in np.ndindex(*logits.shape):
        step = np.zeros_like(wide)
        step[index] = 1e-5 * scale
        above, below = (_reference(head, truth, wide + s, smoothing) for s in (step, -step))
        slope = (above - below).sum() / (2e-5 * scale)
        # Where two logits of 1e4 are nearer than the step, a difference is no gradient.
        np.testing.assert_allclose(gradient[index], slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize("head", get_args(Head))
def test_losses_of_soft_labels_and_their_gradients_equal_the_reference(head, scale, smoothing):
    rng = np.random.default_rng(0)
    labels = 2 if head == "sigmoid" else 3
    logits = (scale * rng.normal(size=(6, labels))).astype("float32")
    targets = rng.dirichlet(np.ones(labels), 6)
    targets[0] = np.eye(labels)[1]
    hard = np.full((6, labels if head == "multilabel" else 1), 7)  # which the loss does not read
    truth = np.concatenate([targets, hard], axis=1).astype("float32")
    loss = make_loss(head, label_smoothing=smoothing, soft_labels=True)

    wide = logits.astype("float64")
    if head == "multilabel":
        q = (1 - smoothing) * targets + smoothing / 2
        expected = -(q * log_expit(wide) + (1 - q) * log_expit(-wide)).mean(axis=1)
        slope = (expit(wide) - q) / labels
    else:
        q = (1 - smoothing) * targets + smoothing / labels
        expected = -(q * log_softmax(wide, axis=1)).sum(axis=1)
        slope = softmax(wide, axis=1) - q
    np.testing.assert_allclose(np.asarray(loss(truth, logits)), expected, rtol=1e-4, atol=1e-5)
    variable = keras.Variable(logits)
    [gradient] = gradients(lambda: ops.sum(loss(truth, ops.copy(variable))), [variable])
    np.testing.assert_allclose(gradient, slope, atol=1e-5)


@pytest.mark.parametrize("head", get_args(Head))
def test_a_target_of_0_and_1_has_the_loss_of_the_label(head):
    logits = np.array([[20.0, -20.0], [30.0, -3.0], [-1.0, 2.0]], np.float32)
    labels = np.array([0, 1, 1])
    one_hot = np.eye(2)[labels]
    truth = np.concatenate([one_hot, one_hot], axis=1).astype("float32")
    soft = make_loss(head, label_smoothing=0.0, soft_labels=True)(truth, logits)
    hard = make_loss(head, label_smoothing=0.0)(one_hot if head == "multilabel" else labels, logits)
    np.testing.assert_array_equal(np.asarray(soft), np.asarray(hard))


def _gradient_of_score(
    score: float, truth: Any, *, head: Head, labels: int, steps: int = 0
) -> np.ndarray:
    """The gradient of the loss for the head's scores, of which the last is `score`, others 0.

    With `steps`, the scores of every step, which are all equal.
    """
    scores = np.zeros((1, steps or 1, labels), np.float32)
    scores[..., -1] = score
    variable = keras.Variable(scores)

    def loss() -> Any:
        values = ops.copy(variable)
        if steps:
            mask = np.ones((1, steps), bool)
            logits = mean_over_steps(values, mask, exclusive=head == "softmax")
        else:
            logits = values[:, 0]
        logits = two_logits(logits) if head == "sigmoid" else logits
        return ops.sum(make_loss(head, label_smoothing=0.0)(truth, logits))

    [gradient] = gradients(loss, [variable])
    return gradient[0].sum(axis=0)


@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize(("truth", "expected"), [(0, 1 - SMALLEST), (1, -SMALLEST)])
def test_a_sigmoid_head_that_is_sure_still_has_its_gradient(truth, expected, steps):
    """From probabilities, both were 0."""
    [gradient] = _gradient_of_score(20.0, np.array([truth]), head="sigmoid", labels=1, steps=steps)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4)


@pytest.mark.parametrize(("score", "steps"), [(20.0, 0), (10.0, 7), (20.0, 7)])
@pytest.mark.parametrize("truth", [0, 1, 2])
def test_a_softmax_head_that_is_sure_still_has_its_gradient(truth, score, steps):
    found = _gradient_of_score(score, np.array([truth]), head="softmax", labels=3, steps=steps)
    small = 1 / (2 + np.exp(score))
    expected = np.array([small, small, 1 - 2 * small])
    expected[truth] = -2 * small if truth == 2 else small - 1
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize(("truth", "expected"), [(0, 1 - SMALLEST), (1, -SMALLEST)])
def test_a_multilabel_head_that_is_sure_still_has_its_gradient(truth, expected, steps):
    hot = np.array([[0, truth]])
    found = _gradient_of_score(20.0, hot, head="multilabel", labels=2, steps=steps)
    np.testing.assert_allclose(found, [0.25, expected / 2], rtol=1e-4)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("head", get_args(Head))
def test_a_network_that_is_surely_wrong_learns(head, return_sequences):
    """Its head has large biases: the loss is finite up to 1e4, and every weight has a gradient."""
    config = NetworkConfig(
        embedding=EmbeddingConfig(units=4),
        lstm=LSTMConfig(units=3),
        attention=AttentionConfig(kind="positional", return_sequences=return_sequences),
        dropout=0.0,
        head=head,
    )
    network = build_classifier(config, ids=9, max_tokens=5, labels=2)
    bias = network.get_layer("head").bias
    # The second row is all padding, as in a batch that is filled up; it weighs nothing.
    inputs = {
        "token_ids": np.array([[3, 4, 5, 0, 0], [0] * 5], "int32"),
        "length": np.array([3, 0], "int32"),
    }
    truth = np.array([[1, 0], [0, 0]]) if head == "multilabel" else np.array([0, 0])
    compute = make_loss(head, label_smoothing=0.0)

    def loss() -> Any:
        losses = compute(truth, network(inputs)["logits"])
        return ops.sum(losses * np.array([1, 0], "float32"))

    for score in (20.0, 1e4):
        bias.assign(np.full(bias.shape, score) * np.arange(2)[-bias.shape[0] :])
        assert 0.4 * score < float(loss()) < 1.1 * score
        for gradient in gradients(loss, network.trainable_variables):
            assert np.isfinite(gradient).all()
            assert (gradient != 0).any()


@pytest.mark.parametrize("head", get_args(Head))
def test_divergence_and_entropy_against_their_definition(head: Head):
    random = np.random.default_rng(0)
    truth, logits = random.normal(0, 2, (2, 9, 2 if head == "sigmoid" else 4)).astype(np.float32)
    if head == "multilabel":
        p, q = (np.stack([expit(each), expit(-each)], axis=-1) for each in (truth, logits))
        expected = (p * np.log(p / q)).sum(axis=-1).mean(axis=-1)
        uncertain = -(p * np.log(p)).sum(axis=-1).mean(axis=-1)
    else:
        p, q = (np.exp(log_softmax(each, axis=-1)) for each in (truth, logits))
        expected = (p * np.log(p / q)).sum(axis=-1)
        uncertain = -(p * np.log(p)).sum(axis=-1)
    np.testing.assert_allclose(divergence(truth, logits, head=head), expected, atol=1e-5)
    np.testing.assert_allclose(divergence(truth, truth, head=head), np.zeros(9), atol=1e-6)
    np.testing.assert_allclose(entropy(truth, head=head), uncertain, atol=1e-5)


@pytest.mark.parametrize("head", get_args(Head))
def test_divergence_and_entropy_stay_finite_where_probabilities_are_0_and_1(head: Head):
    sure = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    assert np.isfinite(np.asarray(divergence(sure, sure[::-1], head=head))).all()
    np.testing.assert_allclose(entropy(sure, head=head), [0, 0], atol=1e-6)
