"""The difference of two models' accuracies on the same documents, with its interval."""

import dataclasses
import math

import numpy as np

_QUANTILE = 1.959964  # of the normal distribution, for an interval of 95 %


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccuracyDifference:
    """The accuracy of a model minus that of another one.

    Attributes:
        documents: on how many it was measured.
        accuracy: of the model.
        other_accuracy: of the other one.
        low: lower end of the 95 % confidence interval of the difference.
        high: upper end.
    """

    documents: int
    accuracy: float
    other_accuracy: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """The accuracy of the model minus that of the other one."""
        return self.accuracy - self.other_accuracy


def right_predictions(
    probabilities: np.ndarray, truth: np.ndarray, *, multilabel: bool = False
) -> np.ndarray:
    """Which documents count as right in the `accuracy` of `evaluate`, bool `(rows,)`.

    Args:
        probabilities: `(rows, labels)`.
        truth: as in `evaluate`.
        multilabel: as in `evaluate`.
    """
    if multilabel:
        right: np.ndarray = ((probabilities >= 0.5) == truth.astype(bool)).all(axis=1)
        return right
    return np.asarray(probabilities.argmax(axis=1) == truth)


def compare_accuracies(first: np.ndarray, second: np.ndarray) -> AccuracyDifference:
    """Compares two models by the documents that only one of them predicts right.

    With b documents right by the first alone and c by the second alone, of n, the difference is
    (b - c) / n and its standard error sqrt(b + c - (b - c)² / n) / n. The interval is that of the
    normal approximation. Models that are right on the same documents have no interval to speak
    of: its ends are 0.

    Args:
        first: of `right_predictions`.
        second: of the same documents.

    Reference: McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages", 1947; the interval: Agresti, "Categorical Data Analysis", 10.1.1.
    """
    documents = len(first)
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    gained, changed = only_first - only_second, only_first + only_second
    half = _QUANTILE * math.sqrt(changed - gained**2 / documents) / documents
    return AccuracyDifference(
        documents=documents,
        accuracy=float(first.mean()),
        other_accuracy=float(second.mean()),
        low=gained / documents - half,
        high=gained / documents + half,
    )
