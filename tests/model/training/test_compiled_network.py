"""In training, the accuracy of label sets is defined as on validation."""

import numpy as np
import pytest

from model.metrics.evaluation import evaluate
from model.training.compiled_network import exact_matches


def test_a_document_is_right_if_its_whole_set_of_labels_is():
    truth = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 0]])
    probabilities = np.array([[0.9, 0.2, 0.5], [0.9, 0.2, 0.4], [0.1, 0.1, 0.1]], np.float32)
    assert np.asarray(exact_matches(truth, probabilities)).tolist() == [1, 0, 1]
    measured = evaluate(probabilities, truth, labels=("a", "b", "c"), multilabel=True)
    assert measured["accuracy"] == pytest.approx(2 / 3)
