"""Summarizes the trials of a run: mean and deviation of each metric, interval of each gain."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

from model.metrics.names import COMPARED_METRICS

CONFIDENCE = 0.95  # of the interval of a gain


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One item of a manifest's `trials`; `metrics` are single numbers, by split and name."""

    variant: str
    seed: int
    epochs: int
    metrics: Mapping[str, Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class TrialScore:
    """A metric over the seeds of a variant: its mean and its sample standard deviation."""

    variant: str
    split: str
    metric: str
    mean: float
    deviation: float


@dataclasses.dataclass(frozen=True)
class Gain:
    """The metric of the first variant minus that of another one: the mean over common seeds.

    Attributes:
        variant: the other variant.
        split: where it was measured.
        metric: its name.
        mean: the mean of the differences, one for each common seed.
        low: lower end of the 95 % confidence interval (Student's t, paired).
        high: upper end.
    """

    variant: str
    split: str
    metric: str
    mean: float
    low: float
    high: float


def summarize_trials(trials: Sequence[TrialRecord]) -> list[TrialScore]:
    """Summarizes every metric that all trials of a variant have.

    Variants with a single seed are left out: one value has no deviation.
    """
    scores = []
    for variant in _variants(trials):
        of_variant = [trial for trial in trials if trial.variant == variant]
        for split, metric in _metrics(of_variant):
            values = [trial.metrics[split][metric] for trial in of_variant]
            mean, deviation = statistics.fmean(values), statistics.stdev(values)
            scores.append(TrialScore(variant, split, metric, mean, deviation))
    return scores


def compare_variants(trials: Sequence[TrialRecord]) -> list[Gain]:
    """Compares the first variant with each other one in `COMPARED_METRICS`, seed by seed.

    A metric for which both variants have fewer than two common seeds has no interval and is left
    out.
    """
    if not trials:
        return []
    first, *others = _variants(trials)
    gains = []
    for other in others:
        by_seed = {
            variant: {trial.seed: trial for trial in trials if trial.variant == variant}
            for variant in (first, other)
        }
        pairs = [
            (trial, by_seed[other][seed])
            for seed, trial in by_seed[first].items()
            if seed in by_seed[other]
        ]
        for split in trials[0].metrics:
            gains += [
                _gain(differences, variant=other, split=split, metric=metric)
                for metric in COMPARED_METRICS
                if len(differences := _differences(pairs, split, metric)) >= 2
            ]
    return gains


def _differences(
    pairs: Sequence[tuple[TrialRecord, TrialRecord]], split: str, metric: str
) -> list[float]:
    """The first trial's metric minus the second's, for each pair in which both have it."""
    values = [[each.metrics.get(split, {}).get(metric) for each in pair] for pair in pairs]
    return [one - two for one, two in values if one is not None and two is not None]


def _gain(differences: Sequence[float], *, variant: str, split: str, metric: str) -> Gain:
    mean = statistics.fmean(differences)
    standard_error = statistics.stdev(differences) / math.sqrt(len(differences))
    half = student_t(len(differences) - 1) * standard_error
    return Gain(variant, split, metric, mean, mean - half, mean + half)


def student_t(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t for these degrees of freedom."""
    from scipy.stats import t  # imported here: it takes 1 s, and few commands need it

    return float(t.ppf((1 + CONFIDENCE) / 2, degrees))


def _variants(trials: Sequence[TrialRecord]) -> list[str]:
    return list(dict.fromkeys(trial.variant for trial in trials))


def _metrics(trials: Sequence[TrialRecord]) -> list[tuple[str, str]]:
    """The `(split, metric)` pairs to summarize; none if there are fewer than two trials."""
    if len(trials) < 2:
        return []
    return [
        (split, metric)
        for split, values in trials[0].metrics.items()
        for metric in values
        if metric != "rows" and all(metric in trial.metrics.get(split, {}) for trial in trials)
    ]
