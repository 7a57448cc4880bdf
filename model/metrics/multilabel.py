"""Metrics of predictions with any number of labels per document."""

import numpy as np

from model.metrics.classification import SMALLEST_PROBABILITY
from model.metrics.rates import Rates, divide, mean_f1, rates_of_counts


def exact_match(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The share of documents whose whole set of labels is right; both bool `(rows, labels)`."""
    return float((truth == predicted).all(axis=1).mean())


def multilabel_f1(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Micro and macro F1 of label sets, both arguments bool `(rows, labels)`.

    Micro F1 adds up TP, predicted and true over all labels and computes one F1 of the sums. Macro
    F1 is the mean F1 of the labels that occur in the truth or the predictions.

    Reference: Tsoumakas and Katakis, "Multi-Label Classification: An Overview", 2007.
    """
    micro = divide(2 * (truth & predicted).sum(), truth.sum() + predicted.sum())
    occurs = (truth | predicted).sum(axis=0) > 0
    return float(micro), mean_f1(label_rates(truth, predicted), occurs)


def label_rates(truth: np.ndarray, predicted: np.ndarray) -> Rates:
    """Precision, recall and F1 of every label, both arguments bool `(rows, labels)`."""
    return rates_of_counts(
        (truth & predicted).sum(axis=0), predicted.sum(axis=0), truth.sum(axis=0)
    )


def binary_log_loss(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The mean of -ln p(truth) over documents and labels, in nats: binary cross-entropy.

    Args:
        probabilities: float64 `(rows, labels)`; clipped to 1e-7.
        truth: bool `(rows, labels)`.
    """
    likelihood = np.where(truth, probabilities, 1 - probabilities)
    # ln 1 = 0, and the negative zero that it would give is shown as -0.0000.
    return float(0.0 - np.log(likelihood.clip(SMALLEST_PROBABILITY)).mean())
