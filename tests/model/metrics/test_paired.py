import numpy as np
import pytest

from model.metrics.evaluation import evaluate
from model.metrics.paired import compare_accuracies, right_predictions


def test_the_interval_is_that_of_a_textbook() -> None:
    # Agresti, "Categorical Data Analysis", table 10.1: 944 approve first, 880 approve second.
    first = np.repeat([True, True, False, False], [794, 150, 86, 570])
    second = np.repeat([True, False, True, False], [794, 150, 86, 570])
    found = compare_accuracies(first, second)
    assert found.documents == 1_600
    assert (found.accuracy, found.other_accuracy) == (0.59, 0.55)
    assert found.difference == pytest.approx(0.04)
    assert (found.low, found.high) == pytest.approx((0.021, 0.059), abs=5e-4)


def test_models_that_are_right_on_the_same_documents_do_not_differ() -> None:
    right = np.array([True, False, True])
    found = compare_accuracies(right, right)
    assert (found.low, found.high, found.difference) == (0, 0, 0)


def test_right_predictions_are_what_accuracy_counts() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(3), 50)
    truth = rng.integers(0, 3, 50)
    measured = evaluate(probabilities, truth, labels="abc")
    assert right_predictions(probabilities, truth).mean() == measured["accuracy"]
    sets = rng.integers(0, 2, (50, 3))
    measured = evaluate(probabilities, sets, labels="abc", multilabel=True)
    right = right_predictions(probabilities, sets, multilabel=True)
    assert right.mean() == measured["accuracy"]
