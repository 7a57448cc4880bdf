"""How much two profiles differ: population stability index and Jensen-Shannon divergence.

Profiles are compared measure by measure. The fine bins are first merged into at most ten coarse
bins with about equal shares of the reference, as is usual for the population stability index (PSI).
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from pipeline.corpora.scoring.corpus_profile import MEASURES, Measure

COARSE_BINS = 10
PRIOR = 0.5  # documents added to every coarse bin, so that no logarithm is infinite


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProfileDifference:
    """How much a corpus differs from a reference in one measure.

    Attributes:
        measure: the measure.
        against: the reference: `training`, or `nights` for earlier dates.
        psi: population stability index, the sum of (p - q) ln(p / q) over the bins, where p is a
            bin's share of the corpus and q its share of the reference.
        js: Jensen-Shannon divergence in bits, from 0 to 1.
        noise: the PSI that two samples of these sizes may have by chance.
    """

    measure: Measure
    against: Literal["training", "nights"]
    psi: float
    js: float
    noise: float

    def exceeds(self, max_psi: float) -> bool:
        """Whether the PSI is larger than the limit plus `noise`."""
        return self.psi > max_psi + self.noise


def compare_profiles(
    profile: Mapping[str, Any],
    reference: Mapping[str, Any],
    *,
    against: Literal["training", "nights"],
) -> list[ProfileDifference]:
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
) -> ProfileDifference:
    names = {*counts, *reference}
    ordered = sorted(names) if measure == "label" else sorted(names, key=float)
    now, before = (
        np.array([each.get(name, 0) for name in ordered], np.float64)
        for each in (counts, reference)
    )
    if measure != "label":
        starts = _coarse_bin_starts(before)
        now, before = np.add.reduceat(now, starts), np.add.reduceat(before, starts)
    bins = len(now)
    p, q = ((each + PRIOR) / (each.sum() + PRIOR * bins) for each in (now, before))
    middle = (p + q) / 2
    js = (p * np.log2(p / middle) + q * np.log2(q / middle)).sum() / 2
    # For two samples of one population, PSI / (1/n + 1/m) is chi-squared distributed with
    # bins - 1 degrees of freedom (Yurdakul, 2018). The noise is its mean plus three of its
    # standard deviations.
    degrees = max(bins - 1, 1)
    sizes = 1 / max(now.sum(), 1) + 1 / max(before.sum(), 1)
    noise = (degrees + 3 * math.sqrt(2 * degrees)) * sizes
    psi = ((p - q) * np.log(p / q)).sum()
    return ProfileDifference(
        measure=measure, against=against, psi=float(psi), js=float(js), noise=float(noise)
    )


def _coarse_bin_starts(counts: np.ndarray) -> np.ndarray:
    """The indices at which coarse bins begin, so that each has about an equal share of `counts`."""
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    coarse = np.minimum((before / counts.sum() * COARSE_BINS).astype(int), COARSE_BINS - 1)
    return np.unique(coarse, return_index=True)[1]
