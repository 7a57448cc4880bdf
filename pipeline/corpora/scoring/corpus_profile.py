"""The profile of a scored corpus, and how far two profiles are apart.

A profile is nested counts, so that workers' parts add up: documents by label, score,
length, share of unknown tokens, and entropy of attention, each in fine bins. Two profiles
are compared measure by measure over at most ten coarse bins that hold equal shares of the
reference, as is usual for the population stability index.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from pipeline.corpora.reading.counts import count_values

Measure = Literal["label", "score", "length", "oov_rate", "attention_entropy"]
MEASURES: Mapping[Measure, str] = {
    "label": "labels",
    "score": "scores",
    "length": "lengths",
    "oov_rate": "shares of unknown tokens",
    "attention_entropy": "entropies of attention",
}

FINE_BINS = 100
COARSE_BINS = 10
PRIOR = 0.5  # documents that every coarse bin is given, so that none is empty


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a corpus is from a reference in one measure.

    Attributes:
        measure: which.
        against: the reference: `training` or `nights`.
        psi: population stability index, sum of (p - q) ln(p / q) over the bins.
        js: Jensen-Shannon divergence in bits, from 0 to 1.
        noise: the index that corpora of these sizes reach by chance alone.
    """

    measure: Measure
    against: Literal["training", "nights"]
    psi: float
    js: float
    noise: float

    def exceeds(self, max_psi: float) -> bool:
        """Whether it is larger than allowed, chance aside."""
        return self.psi > max_psi + self.noise


def profile_predictions(predictions: pa.RecordBatch) -> dict[str, Any]:
    """The profile of a batch of predictions."""
    attention = predictions.column("attention")
    return profile_arrays(
        labels=count_values(predictions.column("label")),
        scores=predictions.column("score").to_numpy(),
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
    """The profile of documents given column by column.

    Args:
        labels: documents by predicted label.
        scores: `(rows,)`, the probability of the label.
        lengths: int `(rows,)`, tokens after the cut; each >= 1.
        oov_tokens: int `(rows,)`.
        attention: `(tokens,)`, row after row. Where it was not kept whole, its entropy is
            not measured.

    Returns:
        `documents`, and for every measure documents by bin.
    """
    profile: dict[str, Any] = {
        "documents": len(scores),
        "label": dict(labels),
        "score": _count_shares(scores),
        "length": _count(lengths),
        "oov_rate": _count_shares(oov_tokens / lengths),
    }
    if len(attention) == lengths.sum() and len(scores):
        profile["attention_entropy"] = _count_shares(attention_entropy(attention, lengths))
    return profile


def attention_entropy(attention: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The entropy of each row's attention as a share of the largest it could have.

    Returns:
        `(rows,)` from 0 (all on one token) to 1 (the same on all); 0 for one token.
    """
    weights = attention.astype(np.float64)
    surprise = -weights * np.log(np.maximum(weights, 1e-30))
    entropy = np.add.reduceat(surprise, np.cumsum(lengths) - lengths)
    return np.clip(entropy / np.log(np.maximum(lengths, 2)), 0, 1)


def compare_profiles(
    profile: Mapping[str, Any],
    reference: Mapping[str, Any],
    *,
    against: Literal["training", "nights"],
) -> list[Difference]:
    """The differences in every measure that both profiles have."""
    return [
        _compare(measure, profile[measure], reference[measure], against=against)
        for measure in MEASURES
        if profile.get(measure) and reference.get(measure)
    ]


def _compare(
    measure: Measure,
    counts: Mapping[str, int],
    reference: Mapping[str, int],
    *,
    against: Literal["training", "nights"],
) -> Difference:
    names = {*counts, *reference}
    ordered = sorted(names) if measure == "label" else sorted(names, key=float)
    now, before = (
        np.array([each.get(name, 0) for name in ordered], np.float64)
        for each in (counts, reference)
    )
    if measure != "label":
        edges = _equal_shares(before)
        now, before = np.add.reduceat(now, edges), np.add.reduceat(before, edges)
    bins = len(now)
    p, q = ((each + PRIOR) / (each.sum() + PRIOR * bins) for each in (now, before))
    middle = (p + q) / 2
    js = (p * np.log2(p / middle) + q * np.log2(q / middle)).sum() / 2
    # Of two samples of one population, PSI / (1/n + 1/m) is chi-squared with bins - 1 degrees
    # of freedom (Yurdakul, 2018): its mean and three of its standard deviations.
    free = max(bins - 1, 1)
    noise = (free + 3 * math.sqrt(2 * free)) * (1 / max(now.sum(), 1) + 1 / max(before.sum(), 1))
    psi = ((p - q) * np.log(p / q)).sum()
    return Difference(
        measure=measure, against=against, psi=float(psi), js=float(js), noise=float(noise)
    )


def _equal_shares(counts: np.ndarray) -> np.ndarray:
    """Where coarse bins begin, so that each holds about an equal share of the counts."""
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    coarse = np.minimum((before / counts.sum() * COARSE_BINS).astype(int), COARSE_BINS - 1)
    return np.unique(coarse, return_index=True)[1]


def _count_shares(values: np.ndarray) -> dict[str, int]:
    """Documents by the lower edge of the bin of [0, 1] that their value lies in."""
    bins = np.minimum((np.asarray(values) * FINE_BINS).astype(int), FINE_BINS - 1)
    return {f"{low / FINE_BINS:g}": count for low, count in _count_integers(bins).items()}


def _count(values: np.ndarray) -> dict[str, int]:
    return {str(value): count for value, count in _count_integers(values).items()}


def _count_integers(values: np.ndarray) -> dict[int, int]:
    counts = np.bincount(values)
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
