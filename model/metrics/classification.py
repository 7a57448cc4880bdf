"""Metrics of predictions with one class per document: confusion matrix, accuracy, F1, log loss.

Rates are fractions in [0, 1], and a rate whose denominator is 0 is 0: a class that was never
predicted has precision 0, as in scikit-learn with `zero_division=0`.
"""

import numpy as np
from numpy.typing import ArrayLike

from model.metrics.rates import Rates, divide, mean_f1, rates_of_counts

# Keras clips probabilities at the same value, so this loss equals the one it prints in training.
SMALLEST_PROBABILITY = 1e-7


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, *, classes: int) -> np.ndarray:
    """Counts int64 `(classes, classes)`: row = true class, column = predicted class."""
    cells = np.asarray(truth, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def accuracy(confusion: np.ndarray) -> float:
    """The share of documents on the diagonal of a confusion matrix."""
    return float(divide(np.trace(confusion), confusion.sum()))


def precision_recall_f1(confusion: np.ndarray) -> Rates:
    """The rates of every class of a confusion matrix."""
    hits = np.diagonal(confusion)
    return rates_of_counts(hits, confusion.sum(axis=0), confusion.sum(axis=1))


def macro_f1(confusion: np.ndarray) -> float:
    """The mean F1 over the classes that occur in the truth or the predictions.

    It is the mean of the classes' F1, not the F1 of their mean precision and mean recall. The two
    differ: Opitz and Burst, "Macro F1 and Macro F1", 2019.
    """
    occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    return mean_f1(precision_recall_f1(confusion), occurs)


def log_loss(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """The mean of -ln p(true class), in nats; probabilities are clipped to 1e-7.

    This is the categorical cross-entropy of Keras.

    Args:
        probabilities: `(rows, classes)`.
        truth: int `(rows,)`, the true class of each row.

    Reference: Good, "Rational Decisions", 1952.
    """
    probabilities, truth = np.asarray(probabilities, np.float64), np.asarray(truth)
    likelihood = probabilities[np.arange(len(truth)), truth]
    # ln 1 = 0, and the negative zero that it would give is shown as -0.0000.
    return float(0.0 - np.log(likelihood.clip(SMALLEST_PROBABILITY, 1.0)).mean())
