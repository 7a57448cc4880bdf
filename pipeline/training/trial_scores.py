"""What trials say together: a mean with its deviation, a gain with its interval."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

# Two-sided 95 % quantiles of Student's t by degrees of freedom; beyond, the normal's.
STUDENT_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)  # fmt: skip
NORMAL = 1.960

COMPARED = ("accuracy", "macro_f1", "semeval_f1")  # of variants, as far as they have them


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One item of a manifest's `trials`; `metrics` are single numbers by split and name."""

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
    """How much more the first variant has than another, in the mean over equal seeds.

    `low` and `high` bound a 95 % confidence interval of Student's paired t.
    """

    variant: str
    split: str
    metric: str
    mean: float
    low: float
    high: float


def summarize_trials(trials: Sequence[Trial]) -> list[TrialScore]:
    """Every metric that all trials of a variant have; of variants with two seeds or more."""
    scores = []
    for variant in _variants(trials):
        of_variant = [trial for trial in trials if trial.variant == variant]
        for split, metric in _metrics(of_variant):
            values = [trial.metrics[split][metric] for trial in of_variant]
            mean, deviation = statistics.fmean(values), statistics.stdev(values)
            scores.append(TrialScore(variant, split, metric, mean, deviation))
    return scores


def compare_variants(trials: Sequence[Trial]) -> list[Gain]:
    """The gain of the first variant over each other one, seed by seed, in `COMPARED`."""
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
                for metric in COMPARED
                if len(differences := _differences(pairs, split, metric)) >= 2
            ]
    return gains


def _differences(pairs: Sequence[tuple[Trial, Trial]], split: str, metric: str) -> list[float]:
    """By how much the first of each pair has more, where both have the metric."""
    values = [[each.metrics.get(split, {}).get(metric) for each in pair] for pair in pairs]
    return [one - two for one, two in values if one is not None and two is not None]


def _gain(differences: Sequence[float], *, variant: str, split: str, metric: str) -> Gain:
    mean = statistics.fmean(differences)
    half = student_t(len(differences) - 1) * (
        statistics.stdev(differences) / math.sqrt(len(differences))
    )
    return Gain(variant, split, metric, mean, mean - half, mean + half)


def student_t(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t."""
    return STUDENT_T[degrees - 1] if degrees <= len(STUDENT_T) else NORMAL


def _variants(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(trial.variant for trial in trials))


def _metrics(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """The metrics to summarize; none where there are fewer than two trials."""
    if len(trials) < 2:
        return []
    return [
        (split, metric)
        for split, values in trials[0].metrics.items()
        for metric in values
        if metric != "rows" and all(metric in trial.metrics.get(split, {}) for trial in trials)
    ]
