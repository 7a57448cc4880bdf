"""The profile of a scored corpus: the distributions from which drift is measured.

A profile counts documents by label, score, length, share of unknown tokens and entropy of
attention, each in fine bins. These are nested counts, so those of several workers can be added.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from pipeline.corpora.reading.counts import count_values

Measure = Literal["label", "score", "length", "oov_rate", "attention_entropy"]

# Each measure, with its name in messages.
MEASURES: Mapping[Measure, str] = {
    "label": "labels",
    "score": "scores",
    "length": "lengths",
    "oov_rate": "shares of unknown tokens",
    "attention_entropy": "entropies of attention",
}

FINE_BINS = 100  # of the measures that lie in [0, 1]


def profile_predictions(predictions: pa.RecordBatch) -> dict[str, Any]:
    """The profile of a batch of predictions."""
    attention = predictions.column("attention")
    return profile_arrays(
        labels=count_values(predictions.column("label")),
        scores=predictions.column("score").drop_null().to_numpy(),
        lengths=predictions.column("token_count").to_numpy(),
        oov_tokens=predictions.column("oov_tokens").to_numpy(),
        attention=attention.flatten().to_numpy(),
    )


def profile_arrays(
    *,
    labels: Mapping[str, int],
    scores: np.ndarray,
    lengths: np.ndarray,
    oov_tokens: np.ndarray,
    attention: np.ndarray,
) -> dict[str, Any]:
    """The profile of documents that are given column by column.

    Args:
        labels: the number of documents by predicted label.
        scores: the probability of the predicted label, of each document that has an answer.
        lengths: int `(rows,)`, tokens after truncation; each >= 1.
        oov_tokens: int `(rows,)`, unknown tokens.
        attention: `(tokens,)`, row after row. If some token has no weight here (top_k, none),
            entropy is not measured.

    Returns:
        `documents`, and for every measure the number of documents by bin.
    """
    profile: dict[str, Any] = {
        "documents": len(lengths),
        "label": dict(labels),
        "score": _count_shares(scores),
        "length": _count(lengths),
        "oov_rate": _count_shares(oov_tokens / lengths),
    }
    if len(attention) == lengths.sum() and len(lengths):
        profile["attention_entropy"] = _count_shares(attention_entropy(attention, lengths))
    return profile


def attention_entropy(attention: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The entropy of each row's attention, divided by the largest entropy it could have.

    Returns:
        `(rows,)` from 0 (all weight on one token) to 1 (equal weights); 0 for a single token.
    """
    weights = attention.astype(np.float64)
    surprise = -weights * np.log(np.maximum(weights, 1e-30))
    entropy = np.add.reduceat(surprise, np.cumsum(lengths) - lengths)
    return np.clip(entropy / np.log(np.maximum(lengths, 2)), 0, 1)


def _count_shares(values: np.ndarray) -> dict[str, int]:
    """The number of documents in each bin of [0, 1], by the lower edge of the bin."""
    bins = np.minimum((np.asarray(values) * FINE_BINS).astype(int), FINE_BINS - 1)
    return {f"{low / FINE_BINS:g}": count for low, count in _count_integers(bins).items()}


def _count(values: np.ndarray) -> dict[str, int]:
    return {str(value): count for value, count in _count_integers(values).items()}


def _count_integers(values: np.ndarray) -> dict[int, int]:
    counts = np.bincount(values)
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
