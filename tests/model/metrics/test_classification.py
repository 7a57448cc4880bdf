"""The metrics of one class a document, against scikit-learn."""

import warnings

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from model.metrics.classification import (
    accuracy,
    confusion_matrix,
    log_loss,
    macro_f1,
    precision_recall_f1,
)


@st.composite
def predictions(draw):
    """The number of classes, the true classes and the predicted ones."""
    classes = draw(st.integers(1, 5))
    pairs = st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1))
    truth, predicted = zip(*draw(st.lists(pairs, min_size=1, max_size=40)), strict=True)
    return classes, list(truth), list(predicted)


@given(predictions())
def test_rates_equal_those_of_scikit_learn(case):
    classes, truth, predicted = case
    every_class = list(range(classes))
    confusion = confusion_matrix(truth, predicted, classes=classes)
    with warnings.catch_warnings(action="ignore"):  # about a single class
        expected = sklearn.metrics.confusion_matrix(truth, predicted, labels=every_class)
    np.testing.assert_array_equal(confusion, expected)
    assert accuracy(confusion) == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))
    rates = sklearn.metrics.precision_recall_fscore_support(
        truth, predicted, labels=every_class, zero_division=0
    )
    np.testing.assert_allclose(precision_recall_f1(confusion), rates[:3])
    expected_f1 = sklearn.metrics.f1_score(truth, predicted, average="macro", zero_division=0)
    assert macro_f1(confusion) == pytest.approx(expected_f1)


@given(
    st.integers(2, 5).flatmap(
        lambda classes: st.lists(
            st.tuples(
                st.lists(st.floats(0.001, 1), min_size=classes, max_size=classes),
                st.integers(0, classes - 1),
            ),
            min_size=1,
            max_size=20,
        )
    )
)
def test_log_loss_equals_that_of_scikit_learn(rows):
    shares = np.array([row for row, _ in rows])
    probabilities = shares / shares.sum(axis=1, keepdims=True)
    truth = [label for _, label in rows]
    expected = sklearn.metrics.log_loss(truth, probabilities, labels=range(shares.shape[1]))
    assert log_loss(probabilities, truth) == pytest.approx(expected)


def test_log_loss_clips_a_probability_of_0():
    assert log_loss([[1.0, 0.0]], [1]) == pytest.approx(-np.log(1e-7))


def test_without_documents_every_rate_is_0():
    nothing = np.zeros((2, 2), int)
    assert accuracy(nothing) == 0
    assert macro_f1(nothing) == 0
    np.testing.assert_array_equal(precision_recall_f1(nothing), np.zeros((3, 2)))


def test_no_loss_is_a_positive_zero() -> None:
    assert str(log_loss([[1.0, 0.0]], [0])) == "0.0"
