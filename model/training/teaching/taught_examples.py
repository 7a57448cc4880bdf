"""Examples that are learned from the predictions of teachers.

Source: Hinton, Vinyals and Dean, 2015, "Distilling the knowledge in a neural network"; leaving out
documents on which the teachers are uncertain is self-training as of Yarowsky, 1995.
"""

import dataclasses

import numpy as np

from model.training.examples import Examples, join_examples
from model.training.samples import take_examples
from model.training.targets import NO_LABEL


def certainty(probabilities: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """How certain predictions are, float32 `(rows,)`.

    It is the probability of the most likely label; if a document may have several labels, that of
    the answer, yes or no, on the label that is least certain.

    Args:
        probabilities: float32 `(rows, labels)`.
        multilabel: whether a document may have several labels.
    """
    if multilabel:
        return np.asarray(np.maximum(probabilities, 1 - probabilities).min(axis=1))
    return np.asarray(probabilities.max(axis=1))


def with_soft_labels(labeled: Examples, probabilities: np.ndarray) -> Examples:
    """The documents with the teachers' probabilities; soft labels that they had are kept."""
    if labeled.soft_labels is not None:
        missing = np.isnan(labeled.soft_labels)
        probabilities = np.where(missing, probabilities, labeled.soft_labels)
    return dataclasses.replace(labeled, soft_labels=probabilities)


def choose_certain(
    unlabeled: Examples, probabilities: np.ndarray, *, min_score: float, multilabel: bool
) -> Examples:
    """The documents on which the teachers are certain enough, with their probabilities."""
    rows = np.flatnonzero(certainty(probabilities, multilabel=multilabel) >= min_score)
    return dataclasses.replace(take_examples(unlabeled, rows), soft_labels=probabilities[rows])


def join_taught(labeled: Examples, unlabeled: Examples) -> Examples:
    """The labeled documents and, after them, the unlabeled ones without a label, in memory."""
    no_labels = np.full((unlabeled.rows, *labeled.labels.shape[1:]), NO_LABEL, np.int64)
    return join_examples(labeled, dataclasses.replace(unlabeled, labels=no_labels))
