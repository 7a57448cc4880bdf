"""Trials: means, deviations, and the interval of a gain, against NumPy and SciPy."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from pipeline.training.trial_scores import (
    TrialRecord,
    compare_variants,
    student_t,
    summarize_trials,
)


def _trial(variant: str, seed: int, **metrics: float) -> TrialRecord:
    return TrialRecord(
        variant=variant, seed=seed, epochs=3, metrics={"test": {"rows": 9, **metrics}}
    )


BASE = [0.90, 0.93, 0.91, 0.95]
MEAN = [0.88, 0.92, 0.86, 0.93]
TRIALS = [
    *(_trial("base", seed, accuracy=value) for seed, value in enumerate(BASE)),
    *(_trial("mean", seed, accuracy=value) for seed, value in enumerate(MEAN)),
]


def test_each_variant_has_a_mean_and_a_deviation():
    base, mean = summarize_trials(TRIALS)
    assert (base.variant, base.split, base.metric) == ("base", "test", "accuracy")
    assert (mean.mean, mean.deviation) == pytest.approx((np.mean(MEAN), np.std(MEAN, ddof=1)))


def test_only_metrics_that_all_trials_of_a_variant_have_are_summarized():
    trials = [_trial("base", 1, accuracy=0.7, loss=1.0), _trial("base", 2, accuracy=0.9)]
    assert [score.metric for score in summarize_trials(trials)] == ["accuracy"]
    assert summarize_trials(trials[:1]) == []


def test_a_gain_has_the_paired_t_interval():
    [gain] = compare_variants(TRIALS)
    expected = stats.ttest_rel(BASE, MEAN).confidence_interval(0.95)
    assert gain.variant == "mean"
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high))


def test_every_score_that_both_have_is_compared():
    pairs = [("base", 0.9), ("base", 0.8), ("mean", 0.7), ("mean", 0.5)]
    trials = [
        _trial(variant, number % 2, accuracy=value, macro_f1=value / 2, loss=1.0)
        for number, (variant, value) in enumerate(pairs)
    ]
    gains = {gain.metric: gain.mean for gain in compare_variants(trials)}
    assert gains == pytest.approx({"accuracy": 0.25, "macro_f1": 0.125})


def test_one_seed_or_one_variant_has_no_gain():
    assert compare_variants(TRIALS[:4]) == []
    assert compare_variants([TRIALS[0], TRIALS[4]]) == []
    assert compare_variants([]) == []


# Two-sided 95 % quantiles as printed in tables of Student's t, by degrees of freedom.
PRINTED = {1: 12.706, 2: 4.303, 5: 2.571, 10: 2.228, 20: 2.086, 21: 2.080, 30: 2.042, 120: 1.980}


@pytest.mark.parametrize(("degrees", "quantile"), PRINTED.items())
def test_the_quantile_is_that_of_printed_tables(degrees, quantile):
    assert student_t(degrees) == pytest.approx(quantile, abs=5e-4)


def test_the_quantile_falls_toward_the_normal_one():
    quantiles = [student_t(degrees) for degrees in range(1, 100)]
    assert quantiles == sorted(quantiles, reverse=True)
    assert student_t(10**6) == pytest.approx(stats.norm.ppf(0.975), abs=1e-4)


def test_scipy_is_imported_only_for_an_interval():
    code = (
        "import sys; from pipeline.training.trial_scores import student_t; "
        "assert 'scipy' not in sys.modules; student_t(3); assert 'scipy.stats' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
