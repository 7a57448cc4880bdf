"""Unlabeled documents among those that a network is trained on.

They take part in the losses that need no label (`model.training.further_losses`). An epoch has all
labeled documents and as many unlabeled ones, or all if there are fewer: the next ones of a random
order. So a batch has about as many of the one as of the other, however many there are.
"""

import dataclasses

import numpy as np

from model.training.examples import Examples, join_examples
from model.training.targets import NO_LABEL


def join_unlabeled(train: Examples, unlabeled: Examples) -> Examples:
    """The labeled documents and, after them, the unlabeled ones, in memory.

    The tokens that the network does not read are left out.
    """
    labels = np.full((unlabeled.rows, *train.labels.shape[1:]), NO_LABEL, train.labels.dtype)
    unlabeled = dataclasses.replace(unlabeled, labels=labels, soft_labels=None)
    return join_examples(_as_network_reads(train), _as_network_reads(unlabeled))


def _as_network_reads(examples: Examples) -> Examples:
    return Examples(
        ids=examples.ids,
        row_offsets=examples.row_offsets,
        labels=examples.labels,
        weights=examples.weights,
        soft_labels=examples.soft_labels,
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
