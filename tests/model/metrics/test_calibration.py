"""The expected calibration error against its definition; scikit-learn has none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.metrics.calibration import measure_calibration


def calibration_error_by_hand(confidences: list[float], correct: list[bool], bins: int) -> float:
    total = 0.0
    for m in range(1, bins + 1):
        inside = [
            i
            for i, c in enumerate(confidences)
            if (m - 1) / bins < c <= m / bins or (m == 1 and c == 0)
        ]
        if inside:
            share = sum(correct[i] for i in inside) / len(inside)
            mean = sum(confidences[i] for i in inside) / len(inside)
            total += len(inside) / len(confidences) * abs(share - mean)
    return total


@given(
    st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 15),
)
def test_calibration_equals_its_definition(predictions, bins):
    # Whole percents put many confidences exactly on the edges of the bins.
    confidences = [percent / 100 for percent, _ in predictions]
    correct = [each for _, each in predictions]

    found = measure_calibration(confidences, correct, bins=bins)
    expected = calibration_error_by_hand(confidences, correct, bins)
    assert found["expected_calibration_error"] == pytest.approx(expected)
    assert sum(row["rows"] for row in found["bins"]) == len(predictions)
    for row in found["bins"]:
        if row["rows"] == 0:
            assert row["confidence"] is None
            assert row["accuracy"] is None
        else:
            assert row["lower"] - 1e-12 <= row["confidence"] <= row["upper"] + 1e-12


def test_a_perfectly_calibrated_model_has_no_error():
    found = measure_calibration([0.75] * 4, [True] * 3 + [False])
    assert found["expected_calibration_error"] == 0
