"""Unlabeled documents among those that a network is trained on.

They take part in the losses that need no label (`model.training.further_losses`). An epoch has all
labeled documents and as many unlabeled ones, or all if there are fewer: the next ones of a random
order. So a batch has about as many of the one as of the other, however many there are.
"""

import numpy as np

from model.training.examples import Examples
from model.training.targets import NO_LABEL


def join_unlabeled(train: Examples, unlabeled: Examples) -> Examples:
    """The labeled documents and, after them, the unlabeled ones, in memory.

    The tokens that the network does not read are left out.
    """
    labels = np.full((unlabeled.rows, *train.labels.shape[1:]), NO_LABEL, train.labels.dtype)
    soft_labels = train.soft_labels
    if soft_labels is not None:
        none = np.full((unlabeled.rows, soft_labels.shape[1]), np.nan, soft_labels.dtype)
        soft_labels = np.concatenate([soft_labels, none])
    ends = unlabeled.row_offsets[1:] + train.row_offsets[-1]
    return Examples(
        ids=np.concatenate([train.ids, unlabeled.ids]),
        row_offsets=np.concatenate([train.row_offsets, ends]),
        labels=np.concatenate([train.labels, labels]),
        weights=np.concatenate([train.weights, unlabeled.weights]),
        soft_labels=soft_labels,
    )


def unlabeled_of_epoch(labeled: int, unlabeled: int) -> int:
    """How many unlabeled documents an epoch has, from the documents of both kinds."""
    return min(labeled, unlabeled)


def documents_of_epoch(labeled: int, unlabeled: int, *, seed: int, epoch: int) -> np.ndarray:
    """The rows of `join_unlabeled` that an epoch has, int64; each at most once.

    Args:
        labeled: the number of labeled documents.
        unlabeled: the number of unlabeled ones.
        seed: of the training.
        epoch: its number, counted from 1. Consecutive epochs have the next unlabeled documents of a
            random order; when all were taken, another order follows.
    """
    wanted = unlabeled_of_epoch(labeled, unlabeled)
    if not wanted:
        return np.arange(labeled)
    places = (epoch - 1) * wanted + np.arange(wanted)
    orders = {
        number: np.random.default_rng((seed, number, labeled)).permutation(unlabeled)
        for number in {int(places[0] // unlabeled), int(places[-1] // unlabeled)}
    }
    chosen = [orders[int(place // unlabeled)][place % unlabeled] for place in places]
    # Two orders meet within an epoch: a document may be in both parts.
    return np.concatenate([np.arange(labeled), labeled + np.unique(chosen)])
