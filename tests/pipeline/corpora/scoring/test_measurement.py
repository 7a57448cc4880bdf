"""Metrics are those of the documents that were answered."""

import numpy as np

from pipeline.corpora.scoring.labeled_predictions import LabeledPredictions
from pipeline.corpora.scoring.measurement import measure

LABELS = ("a", "b")


def labeled(answered: list[bool], truth: np.ndarray) -> LabeledPredictions:
    """Four documents; the first label of the first two is right."""
    return LabeledPredictions(
        labels=truth,
        probabilities=np.array([[0.75, 0.25]] * 4, np.float32),
        answered=np.array(answered),
        unlabeled=0,
        unknown_labels={},
    )


def test_documents_without_an_answer_do_not_count() -> None:
    truth = np.array([0, 0, 1, 1])
    every = measure(labeled([True] * 4, truth), labels=LABELS)
    assert (every["rows"], every["accuracy"]) == (4, 0.5)
    some = measure(labeled([True, True, True, False], truth), labels=LABELS)
    assert (some["rows"], some["accuracy"]) == (3, 2 / 3)


def test_of_independent_labels_too() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    some = measure(labeled([True, True, False, False], truth), labels=LABELS)
    assert (some["rows"], some["accuracy"]) == (2, 1.0)


def test_without_any_answer_there_are_no_scores() -> None:
    assert measure(labeled([False] * 4, np.zeros(4, int)), labels=LABELS) == {"rows": 0}
