"""The metrics of label sets, against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model.metrics.multilabel import binary_log_loss, exact_match, label_rates, multilabel_f1

tables = st.tuples(st.integers(1, 12), st.integers(2, 4)).flatmap(
    lambda shape: st.tuples(
        npst.arrays(bool, shape),
        npst.arrays(bool, shape),
        npst.arrays(float, shape, elements=st.floats(0.001, 0.999)),
    )
)


@given(tables)
def test_metrics_of_label_sets_equal_those_of_scikit_learn(case):
    truth, predicted, probabilities = case
    assert exact_match(truth, predicted) == pytest.approx(
        sklearn.metrics.accuracy_score(truth, predicted)
    )
    rates = sklearn.metrics.precision_recall_fscore_support(truth, predicted, zero_division=0)
    np.testing.assert_allclose(label_rates(truth, predicted), rates[:3])
    micro, macro = multilabel_f1(truth, predicted)
    assert micro == pytest.approx(
        sklearn.metrics.f1_score(truth, predicted, average="micro", zero_division=0)
    )
    # scikit-learn counts a label that occurs nowhere with an F1 of 0; ours leaves it out.
    occurring = np.flatnonzero(truth.any(axis=0) | predicted.any(axis=0))
    expected = (
        sklearn.metrics.f1_score(truth, predicted, average="macro", labels=occurring)
        if len(occurring)
        else 0
    )
    assert macro == pytest.approx(expected)
    assert binary_log_loss(probabilities, truth) == pytest.approx(
        sklearn.metrics.log_loss(truth.ravel(), probabilities.ravel(), labels=[False, True])
    )


def test_the_loss_clips_a_probability_of_0():
    assert binary_log_loss(np.array([[0.0]]), np.array([[True]])) == pytest.approx(-np.log(1e-7))


def test_no_loss_is_a_positive_zero() -> None:
    truth = np.array([[True, False]])
    assert str(binary_log_loss(truth.astype(float), truth)) == "0.0"
