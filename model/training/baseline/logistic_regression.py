"""Logistic regression over sparse features, with one label or any number of labels a document."""

import warnings
from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

Predict = Callable[[sparse.csr_matrix], np.ndarray]  # features -> probabilities (rows, labels)

# The fit ends where the largest number of the gradient is this share of the one it began with. Half
# of it or a tenth changes accuracies on five corpora by chance alone, and takes up to twice the
# time. A fixed tolerance would stop earlier, the more labels share the documents.
TOLERANCE = 0.05


def fit_logistic_regression(
    features: sparse.csr_matrix,
    truth: np.ndarray,
    *,
    weights: np.ndarray,
    labels: int,
    strength: float,
) -> Predict:
    """Fits scikit-learn's `LogisticRegression` and returns its predictions as a function.

    Args:
        features: float32 `(rows, terms)`.
        truth: int64 `(rows,)` label indices: softmax over the labels. Or `(rows, labels)`
            multi-hot: one regression for each label.
        weights: how much each document counts, `(rows,)`.
        labels: how many there are; those that no document has get the probability 0.
        strength: scikit-learn's C, the weight of the data against that of the penalty.
    """
    if truth.ndim == 2:
        columns = [
            _fit(features, truth[:, label], weights=weights, labels=2, strength=strength)
            for label in range(labels)
        ]
        return lambda rows: np.stack([predict(rows)[:, 1] for predict in columns], axis=1)
    return _fit(features, truth, weights=weights, labels=labels, strength=strength)


def _fit(
    features: sparse.csr_matrix,
    truth: np.ndarray,
    *,
    weights: np.ndarray,
    labels: int,
    strength: float,
) -> Predict:
    present = np.unique(truth)
    if len(present) == 1:  # scikit-learn refuses to fit it
        return lambda rows: np.tile(np.eye(labels)[present[0]], (rows.shape[0], 1))
    model = LogisticRegression(
        C=strength,
        solver="newton-cg",  # the fastest for these matrices; it needs 3 to 16 steps
        tol=TOLERANCE * _steepest(features, truth, weights, labels=labels),
    )
    with warnings.catch_warnings():
        # The line search gives up where rounding hides the rest of the descent.
        warnings.simplefilter("ignore")
        model.fit(features, truth, sample_weight=weights)

    def predict(rows: sparse.csr_matrix) -> np.ndarray:
        probabilities = np.zeros((rows.shape[0], labels))
        probabilities[:, model.classes_] = model.predict_proba(rows)
        return probabilities

    return predict


def _steepest(
    features: sparse.csr_matrix, truth: np.ndarray, weights: np.ndarray, *, labels: int
) -> float:
    """The largest number of the mean loss's gradient where every document gets the same answer."""
    shares = np.bincount(truth, weights=weights, minlength=labels) / weights.sum()
    residuals = (np.eye(labels, dtype=np.float32)[truth] - shares) * weights[:, None]
    gradient = features.T @ residuals.astype(np.float32)
    return float(np.abs(gradient).max(initial=1e-9) / weights.sum())
