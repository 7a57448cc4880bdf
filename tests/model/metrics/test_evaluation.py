"""What `evaluate` puts together, and what it refuses."""

import json

import numpy as np
import pytest

from model.metrics.evaluation import evaluate


def test_an_evaluation_is_ready_for_json():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.6, 0.4, 0.0]], np.float32)
    found = evaluate(probabilities, [0, 1, 1], labels=["a", "b", "c"])

    assert json.loads(json.dumps(found)) == found
    assert found["rows"] == 3
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert found["loss"] == pytest.approx(-np.log([0.7, 0.5, 0.4]).mean())
    assert found["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found["by_label"]["b"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "rows": 2,
    }
    assert list(found["by_label"]) == found["labels"] == ["a", "b", "c"]
    assert "semeval_f1" not in found


def test_an_evaluation_has_the_official_score_for_directed_relations():
    labels = ["Other", "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"]
    found = evaluate(np.eye(3)[[1, 2, 1, 0]], [1, 2, 2, 0], labels=labels)
    # One of three in the wrong direction: 2 hits, 3 predicted, 3 true.
    assert found["semeval_f1"] == pytest.approx(2 / 3)


def test_an_evaluation_of_label_sets():
    probabilities = [[0.9, 0.5, 0.1], [0.2, 0.6, 0.3]]
    found = evaluate(probabilities, [[1, 1, 0], [1, 1, 0]], labels=["a", "b", "c"], multilabel=True)
    assert json.loads(json.dumps(found)) == found
    assert found["accuracy"] == 0.5
    assert found["micro_f1"] == pytest.approx(2 * 3 / (3 + 4))
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["loss"] == pytest.approx(-np.log([0.9, 0.5, 0.9, 0.2, 0.6, 0.7]).mean())
    assert found["by_label"]["a"]["rows"] == 2
    assert "confusion" not in found


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        (np.empty((0, 2)), np.empty(0, int), "at least one row"),
        ([[0.5, 0.5]], [2], r"indices in \[0, 2\), got 2"),
        ([[0.5, 0.5]], [-1], r"indices in \[0, 2\), got -1"),
        ([[0.5, 0.5]], [0, 1], "expected 1 integers"),
        ([[0.5, 0.5]], [0.0], "integers, got float64"),
        ([[0.5, 0.3, 0.2]], [0], r"shape \(rows, 2\), got \(1, 3\)"),
        ([[0.9, 0.9]], [0], "sum to 1"),
        ([[2.0, -1.0]], [0], r"in \[0, 1\]"),
        ([[np.nan, 0.5]], [0], "NaN"),
    ],
)
def test_arguments_that_are_no_predictions_are_refused(probabilities, truth, message):
    with pytest.raises(ValueError, match=message):
        evaluate(probabilities, truth, labels=["a", "b"])


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        ([[0.5, 0.5]], [[1, 0], [1, 0]], "shape of the probabilities"),
        ([[0.5, 0.5]], [[0.5, 0]], "only 0 and 1"),
        ([[0.5, 1.5]], [[1, 0]], r"in \[0, 1\]"),
    ],
)
def test_arguments_that_are_no_label_sets_are_refused(probabilities, truth, message):
    with pytest.raises(ValueError, match=message):
        evaluate(probabilities, truth, labels=["a", "b"], multilabel=True)


def test_confidence_is_the_probability_of_the_predicted_label():
    probabilities = np.array([[0.75, 0.25], [0.05, 0.95]])
    found = evaluate(probabilities, [0, 0], labels=("a", "b"))["calibration"]
    assert found["expected_calibration_error"] == pytest.approx((0.25 + 0.95) / 2)


def test_calibration_of_label_sets_counts_every_label_of_every_document():
    probabilities = np.array([[0.9, 0.2], [0.9, 0.8]])
    found = evaluate(probabilities, [[1, 0], [1, 1]], labels=("a", "b"), multilabel=True)[
        "calibration"
    ]
    assert found["expected_calibration_error"] == pytest.approx((0.1 + 0.1 + 0.2 + 0.2) / 4)
    assert sum(row["rows"] for row in found["bins"]) == 4
