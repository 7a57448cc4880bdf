"""Differences of profiles against the formulas."""

import math

import numpy as np
import pytest

from pipeline.corpora.scoring.corpus_profile import MEASURES
from pipeline.corpora.scoring.profile_differences import compare_profiles
from tests.pipeline.corpora.scoring.random_profiles import random_profile


def made(measure: str = "label", **counts: int) -> dict:
    return {"documents": sum(counts.values()), measure: counts}


def test_psi_and_js_equal_their_formulas() -> None:
    [found] = compare_profiles(made(a=90, b=10), made(a=50, b=150), against="training")
    p, q = np.array([90.5, 10.5]) / 101, np.array([50.5, 150.5]) / 201
    assert found.psi == pytest.approx(((p - q) * np.log(p / q)).sum())
    half = (p + q) / 2
    js = (p * np.log2(p / half)).sum() / 2 + (q * np.log2(q / half)).sum() / 2
    assert found.js == pytest.approx(js)
    assert found.noise == pytest.approx((1 + 3 * math.sqrt(2)) * (1 / 100 + 1 / 200))
    assert (found.measure, found.against) == ("label", "training")


def test_a_corpus_does_not_differ_from_itself() -> None:
    own = random_profile(list(range(1, 60)))
    for found in compare_profiles(own, own, against="nights"):
        assert (found.psi, found.js) == (0, 0)
        assert not found.exceeds(0.01)


@pytest.mark.parametrize("measure", [name for name in MEASURES if name != "label"])
def test_values_outside_the_range_of_the_reference_count(measure: str) -> None:
    reference = {f"0.{value}": 100 for value in range(2, 8)}
    for beyond in ("0.1", "0.9"):
        [found] = compare_profiles(
            made(measure, **{beyond: 600}), made(measure, **reference), against="training"
        )
        assert found.exceeds(1)


def test_a_label_that_the_reference_does_not_have_counts() -> None:
    [found] = compare_profiles(made(new=100), made(a=100), against="training")
    assert found.js > 0.9


@pytest.mark.parametrize("rows", [50, 500, 2_000])
def test_samples_of_one_population_stay_within_the_noise(rows: int) -> None:
    found = []
    for seed in range(0, 400, 2):
        rng = np.random.default_rng(seed)
        first, second = (
            random_profile(list(rng.poisson(9, rows) + 1), seed=seed + at) for at in (0, 1)
        )
        found += compare_profiles(first, second, against="training")
    # The noise is three standard deviations; about one chi-squared value in a hundred is larger.
    assert sum(each.exceeds(0) for each in found) <= 0.02 * len(found)
    assert sum(each.exceeds(0.1) for each in found) <= 0.005 * len(found)


@pytest.mark.parametrize("empty", [{}, {"documents": 0, "label": {}}])
def test_without_documents_nothing_is_compared(empty: dict) -> None:
    assert compare_profiles(empty, made(a=1), against="nights") == []
    assert compare_profiles(made(a=1), empty, against="nights") == []
