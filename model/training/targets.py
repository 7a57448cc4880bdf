"""Targets: the distribution over the labels that a document teaches, from hard and soft labels.

A hard label is the one that the corpus gives; the soft labels of a document are the probabilities
that a teacher gives to all labels. Source: Hinton, Vinyals, Dean, 2015, "Distilling the knowledge
in a neural network", section 2: the loss is a weighted mean of the cross-entropies with both, which
is the cross-entropy with the weighted mean of both.

Batches of documents with soft labels have as truth the targets and, to the right of them, the hard
labels, with which metrics are measured; see `truth_of_documents`.
"""

from typing import Any

import numpy as np

from model.config import SoftLabelsConfig

# The hard label of a document that has none.
NO_LABEL = -1


def mix_targets(
    labels: np.ndarray, soft_labels: np.ndarray | None, *, width: int, config: SoftLabelsConfig
) -> np.ndarray:
    """The targets of documents, float32 `(rows, width)`.

    A document with both kinds of labels gets (1 - w) hard + w soft, where the hard label is 1 for
    the label and 0 for the others, and w is `config.weight`. A document with one kind gets that.

    Args:
        labels: int64 `(rows,)` label indices, or `(rows, width)` multi-hot; `NO_LABEL` where a
            document has no hard label.
        soft_labels: float32 `(rows, width)`, NaN where a document has none; None: no document has.
        width: the number of labels.
        config: the weight, and the temperature of the soft labels.
    """
    labeled = has_label(labels)
    if labels.ndim == 2:
        hard = labels.astype(np.float32)
    else:
        hard = np.zeros((len(labels), width), np.float32)
        hard[np.flatnonzero(labeled), labels[labeled]] = 1
    if soft_labels is None:
        return hard
    taught = ~np.isnan(soft_labels[:, :1])
    soft = change_temperature(soft_labels, config.temperature, exclusive=labels.ndim == 1)
    weight = np.where(labeled[:, None], np.float32(config.weight), np.float32(1))
    return np.where(taught, (1 - weight) * hard + weight * soft, hard)


def change_temperature(
    probabilities: np.ndarray, temperature: float, *, exclusive: bool
) -> np.ndarray:
    """The probabilities that a teacher would give if its logits were divided by `temperature`.

    Of exclusive labels that is p_k^(1/T) / Σ_j p_j^(1/T), so the probabilities need not sum to 1;
    of labels that do not exclude one another, p^(1/T) / (p^(1/T) + (1 - p)^(1/T)). Above 1 the
    labels become more alike, below 1 the most probable one gets more.

    Args:
        probabilities: float32 `(rows, labels)`; a row of NaN stays one.
        temperature: T, above 0.
        exclusive: whether a document has one label.

    Returns:
        float32 `(rows, labels)`.
    """
    p = probabilities.astype(np.float64)
    # Divided by the largest, so that no power of it becomes 0.
    if exclusive:
        powers = (p / p.max(axis=1, keepdims=True)) ** (1 / temperature)
        changed = powers / powers.sum(axis=1, keepdims=True)
    else:
        largest = np.maximum(p, 1 - p)
        powers = (p / largest) ** (1 / temperature)
        changed = powers / (powers + ((1 - p) / largest) ** (1 / temperature))
    return np.asarray(changed, np.float32)


def has_label(labels: np.ndarray) -> np.ndarray:
    """Which documents have a hard label, bool `(rows,)`; `labels` as in `Examples`."""
    return np.asarray((labels if labels.ndim == 1 else labels[:, 0]) != NO_LABEL)


def most_likely_labels(labels: np.ndarray, soft_labels: np.ndarray) -> np.ndarray:
    """The hard labels, and where a document has none, those that its teacher finds most likely.

    Args:
        labels: as in `mix_targets`.
        soft_labels: as in `mix_targets`.

    Returns:
        int64, of the shape of `labels`.
    """
    filled = labels.copy()
    rows = np.flatnonzero(~has_label(labels))
    taught = soft_labels[rows]
    filled[rows] = taught.argmax(axis=1) if labels.ndim == 1 else taught >= 0.5
    return filled


def truth_of_documents(
    labels: np.ndarray, soft_labels: np.ndarray, config: SoftLabelsConfig
) -> np.ndarray:
    """The targets, and to the right of them the hard labels, float32 `(rows, width + values)`.

    Args:
        labels: as in `mix_targets`.
        soft_labels: as in `mix_targets`.
        config: as in `mix_targets`.
    """
    targets = mix_targets(labels, soft_labels, width=soft_labels.shape[1], config=config)
    hard = labels.reshape(len(labels), -1).astype(np.float32)
    return np.concatenate([targets, hard], axis=1)


def targets_of(truth: Any, logits: Any) -> Any:
    """The targets in what `truth_of_documents` returned, `(rows, width)`."""
    return truth[:, : logits.shape[-1]]


def hard_labels_of(truth: Any, logits: Any) -> Any:
    """The hard labels in what `truth_of_documents` returned, `(rows, values)`."""
    return truth[:, logits.shape[-1] :]


def teaches(truth: Any) -> Any:
    """Which documents of a batch have a hard or a soft label, bool `(rows,)`; a tensor."""
    from keras import ops

    first = ops.reshape(truth, (ops.shape(truth)[0], -1))[:, 0]
    return ops.not_equal(first, ops.cast(NO_LABEL, first.dtype))
