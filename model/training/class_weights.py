"""Class weights: how much a document counts in the loss, by its label."""

import numpy as np


def balance_documents(labels: np.ndarray) -> np.ndarray:
    """Weights of documents with which every label that occurs counts the same.

    The weight of label k is w_k = Σ_j n_j / (m n_k), where n_k documents have it and m labels occur
    at all. A document with several labels gets the mean of their weights. "No label" is one more
    label here: a document without one would otherwise weigh nothing, and a network would not learn
    that a document may have none.

    Args:
        labels: int64 `(rows,)` label indices, or `(rows, labels)` multi-hot.

    Returns:
        float32 `(rows,)`; their mean is 1 if every document has one label.
    """
    if labels.ndim == 1:
        return _balance_counts(np.bincount(labels))[labels]
    hot = labels != 0
    # Not as float32: that stops counting at 17 million documents.
    hot = np.concatenate([hot, ~hot.any(axis=1, keepdims=True)], axis=1)
    weights: np.ndarray = hot @ _balance_counts(hot.sum(axis=0)) / hot.sum(axis=1)
    return weights.astype(np.float32)


def _balance_counts(counts: np.ndarray) -> np.ndarray:
    """The weight of each label, float32; 0 for a label without a document."""
    present = counts > 0
    share = np.divide(1, counts, out=np.zeros(len(counts)), where=present)
    return (counts.sum() / present.sum() * share).astype(np.float32)
