"""Balanced weights: every label, and having none, counts the same."""

import numpy as np
import pytest

from model.training.class_weights import balance_documents


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 0, 0, 1], [2 / 3, 2 / 3, 2 / 3, 2]),
        ([0, 1], [1, 1]),
        ([2, 2, 0, 2], [2 / 3, 2 / 3, 2, 2 / 3]),  # label 1 does not occur
    ],
)
def test_rare_labels_weigh_more(labels, expected):
    weights = balance_documents(np.array(labels))
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1)


def test_a_document_without_a_label_counts_as_one_with_a_label():
    hot = np.array([[1, 0], [1, 0], [1, 1], [0, 0]])
    # Labels 0, 1 and none have 3, 1 and 1 documents, 5 in all: they weigh 5/9, 5/3 and 5/3.
    expected = [5 / 9, 5 / 9, (5 / 9 + 5 / 3) / 2, 5 / 3]
    np.testing.assert_allclose(balance_documents(hot), expected, rtol=1e-6)


def test_where_every_document_has_a_label_none_is_no_label():
    one = balance_documents(np.array([0, 0, 0, 1]))
    hot = balance_documents(np.array([[1, 0], [1, 0], [1, 0], [0, 1]]))
    np.testing.assert_allclose(one, hot, rtol=1e-6)
