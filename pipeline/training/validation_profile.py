"""The profile of the validation documents, with which each scored corpus is compared for drift."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.layers.forward import INFERENCE_BATCH_ROWS, Forward
from model.text.vocabulary import Vocabulary
from model.training.dataset import Shards, evaluation_batches
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.scoring.corpus_profile import profile_arrays


def profile_split(
    forward: Forward, shards: Shards, vocabulary: Vocabulary, *, labels: Sequence[str]
) -> dict[str, Any]:
    """Runs the network over a split and makes the same profile as a scoring run does.

    Args:
        forward: from `trace_forward`.
        shards: of the split.
        vocabulary: tells which ids stand for unknown tokens.
        labels: the label names, by index.

    Returns:
        Counts by measure, the sum of `profile_arrays` over all batches.
    """
    return add_counts(
        _profile_batch(forward, inputs, vocabulary, labels=labels)
        for inputs, _, _ in evaluation_batches(shards, batch_size=INFERENCE_BATCH_ROWS)
    )


def _profile_batch(
    forward: Forward, inputs: dict[str, Any], vocabulary: Vocabulary, *, labels: Sequence[str]
) -> dict[str, Any]:
    outputs = forward(inputs)
    probabilities, attention = outputs["probabilities"].numpy(), outputs["attention"].numpy()
    ids, lengths = inputs["token_ids"].numpy(), inputs["length"].numpy()
    real = np.arange(ids.shape[1]) < lengths[:, None]
    row_offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    best = np.bincount(probabilities.argmax(axis=1), minlength=len(labels))
    return profile_arrays(
        labels={label: int(count) for label, count in zip(labels, best, strict=True) if count},
        scores=probabilities.max(axis=1),
        lengths=lengths,
        oov_tokens=vocabulary.count_oov(ids[real], row_offsets),
        attention=attention[real],
    )
