"""The accuracy of label sets while training is the one that validation measures."""

import numpy as np
import pytest

from model.metrics.evaluation import evaluate
from model.training.compiled_network import exact_matches


def test_of_several_labels_the_whole_set_has_to_be_right():
    truth = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 0]])
    probabilities = np.array([[0.9, 0.2, 0.5], [0.9, 0.2, 0.4], [0.1, 0.1, 0.1]], np.float32)
    assert np.asarray(exact_matches(truth, probabilities)).tolist() == [1, 0, 1]
    measured = evaluate(probabilities, truth, labels=("a", "b", "c"), multilabel=True)
    assert measured["accuracy"] == pytest.approx(2 / 3)
