"""Which documents are learned from teachers, and with which labels."""

import numpy as np
import pytest

from model.training.targets import NO_LABEL
from model.training.teaching.taught_examples import (
    certainty,
    choose_certain,
    join_taught,
    with_soft_labels,
)
from tests.model.training.made_up_examples import make_examples


def test_certainty_is_the_largest_probability_or_that_of_the_least_certain_label() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    assert certainty(probabilities, multilabel=False) == pytest.approx([0.9, 0.6])
    several = np.array([[0.9, 0.2], [0.5, 0.99]], np.float32)
    assert certainty(several, multilabel=True) == pytest.approx([0.8, 0.5])


def test_certain_documents_follow_the_labeled_ones() -> None:
    labeled, unlabeled = make_examples(5, seed=1), make_examples(4, seed=2)
    taught = with_soft_labels(labeled, np.full((5, 2), 0.5, np.float32))
    predicted = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]], np.float32)
    certain = choose_certain(unlabeled, predicted, min_score=0.8, multilabel=False)
    joined = join_taught(taught, certain)
    assert joined.rows == 7
    assert joined.labels.tolist() == [*labeled.labels, NO_LABEL, NO_LABEL]
    assert joined.soft_labels is not None
    assert np.array_equal(joined.soft_labels[5:], predicted[[0, 2]])
    last = joined.slice(6, 7)
    third = unlabeled.slice(2, 3)
    assert np.array_equal(last.ids, third.ids)
    assert joined.row_offsets[-1] == len(joined.ids)


def test_soft_labels_of_the_corpus_are_kept() -> None:
    labeled = make_examples(2)
    own = np.array([[0.7, 0.3], [np.nan, np.nan]], np.float32)
    taught = with_soft_labels(with_soft_labels(labeled, own), np.full((2, 2), 0.5, np.float32))
    assert taught.soft_labels is not None
    assert taught.soft_labels == pytest.approx(np.array([[0.7, 0.3], [0.5, 0.5]]))
