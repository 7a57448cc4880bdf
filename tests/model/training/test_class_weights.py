"""Class weights by hand."""

import numpy as np
import pytest

from model.training.class_weights import balance_labels


@pytest.mark.parametrize(
    ("counts", "weights"), [([50, 50], [1, 1]), ([90, 10], [5 / 9, 5]), ([6, 0, 2], [2 / 3, 0, 2])]
)
def test_balanced_weights_make_labels_count_the_same(counts, weights):
    np.testing.assert_allclose(balance_labels(counts), weights, rtol=1e-6)
    assert np.dot(counts, balance_labels(counts)) == pytest.approx(sum(counts))
