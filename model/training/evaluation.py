"""Predictions of a network in training on the shards of a split, and their metrics."""

from collections.abc import Sequence

import numpy as np

from model.layers.forward import INFERENCE_BATCH_ROWS, Forward
from model.metrics.evaluation import Evaluation, evaluate
from model.training.dataset import Shards, evaluation_batches


def predict(forward: Forward, shards: Shards) -> tuple[np.ndarray, np.ndarray]:
    """The network's probabilities for every document of a split, and the truth.

    Args:
        forward: from `trace_forward`.
        shards: of the split.

    Returns:
        `(probabilities, truth)`: float32 `(rows, labels)`, and int64 `(rows,)` label
        indices or `(rows, labels)` multi-hot.
    """
    probabilities, truth = [], []
    for inputs, label, _ in evaluation_batches(shards, batch_size=INFERENCE_BATCH_ROWS):
        probabilities.append(forward(inputs)["probabilities"].numpy())
        truth.append(label.numpy())
    return np.concatenate(probabilities), np.concatenate(truth)


def evaluate_split(forward: Forward, shards: Shards, *, labels: Sequence[str]) -> Evaluation:
    """The metrics of the network on a split.

    Args:
        forward: from `trace_forward`.
        shards: of the split.
        labels: the label names, by index.
    """
    probabilities, truth = predict(forward, shards)
    return evaluate(probabilities, truth, labels=labels, multilabel=shards.label_width > 0)
