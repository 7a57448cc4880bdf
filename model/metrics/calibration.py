"""Calibration: whether predictions of probability 0.8 are right four times out of five."""

from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike


class ReliabilityBin(TypedDict):
    """The predictions whose confidence lies in `(lower, upper]`; means are None without rows."""

    lower: float
    upper: float
    rows: int
    confidence: float | None
    accuracy: float | None


class Calibration(TypedDict):
    """The expected calibration error, and the reliability table it is computed from."""

    expected_calibration_error: float
    bins: list[ReliabilityBin]


def measure_calibration(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10
) -> Calibration:
    """Expected calibration error and the reliability table behind it.

    Over M equal-width bins B_m = ((m - 1) / M, m / M] of confidence,
    ECE = sum of |B_m| / n * |accuracy(B_m) - mean confidence(B_m)|.

    Args:
        confidence: `(predictions,)`, the probability of each prediction: of the predicted class,
            or of each label of each document where a document may have several labels.
        correct: `(predictions,)`, whether the prediction was correct.
        bins: M.

    Reference: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, bool)
    edges = np.arange(bins + 1) / bins
    # A confidence on an edge belongs to the bin below; 0 belongs to the first.
    bin_of = np.searchsorted(edges[1:-1], confidence, side="left")
    rows = np.bincount(bin_of, minlength=bins)
    confidence_sum = np.bincount(bin_of, weights=confidence, minlength=bins)
    correct_sum = np.bincount(bin_of, weights=correct, minlength=bins)
    table = [
        ReliabilityBin(
            lower=float(edges[index]),
            upper=float(edges[index + 1]),
            rows=int(count),
            confidence=float(confidence_sum[index] / count) if count else None,
            accuracy=float(correct_sum[index] / count) if count else None,
        )
        for index, count in enumerate(rows)
    ]
    # |B_m| * |mean - mean| = |sum - sum|, so the counts cancel.
    error = np.abs(correct_sum - confidence_sum).sum() / max(len(correct), 1)
    return Calibration(expected_calibration_error=float(error), bins=table)
