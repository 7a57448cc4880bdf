"""Trials: means, deviations, and the interval of a gain, against NumPy and SciPy."""

import numpy as np
import pytest
from scipy import stats

from pipeline.training.trial_scores import Trial, compare_variants, student_t, summarize_trials


def _trial(variant: str, seed: int, **metrics: float) -> Trial:
    return Trial(variant=variant, seed=seed, epochs=3, metrics={"test": {"rows": 9, **metrics}})


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
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high), abs=1e-4)


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


@pytest.mark.parametrize("degrees", [1, 2, 10, 20])
def test_the_table_is_students_t(degrees):
    assert student_t(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=1e-3)
