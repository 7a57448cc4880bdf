"""Profiles and their differences, against a plain loop and the formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.scoring.corpus_profile import (
    MEASURES,
    attention_entropy,
    compare_profiles,
    profile_arrays,
)


def profile(lengths: list[int], *, seed: int = 0, whole: bool = True) -> dict:
    rng = np.random.default_rng(seed)
    rows = len(lengths)
    attention = [rng.dirichlet(np.ones(length)) for length in lengths] if whole else []
    return profile_arrays(
        labels={"a": rows},
        scores=rng.uniform(0.5, 1, rows),
        lengths=np.array(lengths, int),
        oov_tokens=np.array([length // 2 for length in lengths], int),
        attention=np.concatenate([*attention, []]).astype(np.float32),
    )


def made(measure: str = "label", **counts: int) -> dict:
    return {"documents": sum(counts.values()), measure: counts}


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(0, 40))
def test_parts_add_up_to_the_whole(lengths: list[int], at: int) -> None:
    columns = {
        "scores": np.linspace(0, 1, len(lengths)),
        "lengths": np.array(lengths, int),
        "oov_tokens": np.array(lengths, int) // 3,
    }
    attention = np.concatenate([[1 / length] * length for length in lengths] + [[]])
    cut = sum(lengths[:at])

    def part(rows: slice, weights: np.ndarray) -> dict:
        chosen = {name: column[rows] for name, column in columns.items()}
        return profile_arrays(labels={}, attention=weights, **chosen)

    whole = part(slice(None), attention)
    parts = [part(slice(at), attention[:cut]), part(slice(at, None), attention[cut:])]
    assert add_counts(parts) == whole


def test_the_bins_of_a_profile() -> None:
    found = profile_arrays(
        labels={"x": 2, "y": 1},
        scores=np.array([0.5, 0.999, 1.0], np.float32),
        lengths=np.array([2, 1, 4]),
        oov_tokens=np.array([1, 0, 4]),
        attention=np.array([0.5, 0.5, 1, 1, 0, 0, 0], np.float32),
    )
    assert found == {
        "documents": 3,
        "label": {"x": 2, "y": 1},
        "score": {"0.5": 1, "0.99": 2},
        "length": {"1": 1, "2": 1, "4": 1},
        "oov_rate": {"0": 1, "0.5": 1, "0.99": 1},
        "attention_entropy": {"0": 2, "0.99": 1},
    }


@given(st.lists(st.integers(1, 20), min_size=1, max_size=20), st.integers(0, 99))
def test_entropy_is_a_share_of_the_largest(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [rng.dirichlet(np.ones(length)) for length in lengths]
    found = attention_entropy(np.concatenate(rows), np.array(lengths))
    for value, weights in zip(found, rows, strict=True):
        entropy = -sum(weight * math.log(weight) for weight in weights if weight > 0)
        expected = entropy / math.log(len(weights)) if len(weights) > 1 else 0
        assert value == pytest.approx(expected, abs=1e-6)


def test_attention_that_was_not_kept_is_not_measured() -> None:
    assert "attention_entropy" not in profile([3, 4], whole=False)
    assert set(profile([3, 4])) == {"documents", *MEASURES}


def test_psi_and_js_are_as_their_formulas_say() -> None:
    [found] = compare_profiles(made(a=90, b=10), made(a=50, b=150), against="training")
    p, q = np.array([90.5, 10.5]) / 101, np.array([50.5, 150.5]) / 201
    assert found.psi == pytest.approx(((p - q) * np.log(p / q)).sum())
    half = (p + q) / 2
    js = (p * np.log2(p / half)).sum() / 2 + (q * np.log2(q / half)).sum() / 2
    assert found.js == pytest.approx(js)
    assert found.noise == pytest.approx((1 + 3 * math.sqrt(2)) * (1 / 100 + 1 / 200))
    assert (found.measure, found.against) == ("label", "training")


def test_a_corpus_is_no_different_from_itself() -> None:
    own = profile(list(range(1, 60)))
    for found in compare_profiles(own, own, against="nights"):
        assert (found.psi, found.js) == (0, 0)
        assert not found.exceeds(0.01)


@pytest.mark.parametrize("measure", [name for name in MEASURES if name != "label"])
def test_values_beyond_those_of_the_reference_count(measure: str) -> None:
    reference = {f"0.{value}": 100 for value in range(2, 8)}
    for beyond in ("0.1", "0.9"):
        [found] = compare_profiles(
            made(measure, **{beyond: 600}), made(measure, **reference), against="training"
        )
        assert found.exceeds(1)


def test_a_label_that_training_never_gave_counts() -> None:
    [found] = compare_profiles(made(new=100), made(a=100), against="training")
    assert found.js > 0.9


@pytest.mark.parametrize("rows", [50, 500, 2_000])
def test_samples_of_one_population_stay_within_chance(rows: int) -> None:
    found = []
    for seed in range(0, 400, 2):
        rng = np.random.default_rng(seed)
        first, second = (profile(list(rng.poisson(9, rows) + 1), seed=seed + at) for at in (0, 1))
        found += compare_profiles(first, second, against="training")
    # Three deviations: of chi-squared indices, about one in a hundred lies beyond.
    assert sum(each.exceeds(0) for each in found) <= 0.02 * len(found)
    assert sum(each.exceeds(0.1) for each in found) <= 0.005 * len(found)


@pytest.mark.parametrize("empty", [{}, {"documents": 0, "label": {}}])
def test_without_documents_nothing_is_compared(empty: dict) -> None:
    assert compare_profiles(empty, made(a=1), against="nights") == []
    assert compare_profiles(made(a=1), empty, against="nights") == []
