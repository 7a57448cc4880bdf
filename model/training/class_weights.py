"""Class weights: how much a document counts in the loss, by its label."""

from collections.abc import Sequence

import numpy as np


def balance_labels(counts: Sequence[int]) -> np.ndarray:
    """Weights with which every label that occurs counts the same.

    The weight of a label is documents / (labels that occur * documents of the label).

    Args:
        counts: training documents of each label.

    Returns:
        float32 `(labels,)`; 0 for a label without a document. Their mean over the
        documents is 1.
    """
    documents = np.asarray(counts, np.float64)
    present = documents > 0
    share = np.divide(1, documents, out=np.zeros_like(documents), where=present)
    return (documents.sum() / present.sum() * share).astype(np.float32)
