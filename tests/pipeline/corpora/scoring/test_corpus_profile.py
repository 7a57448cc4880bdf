"""Profiles against a plain loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.scoring.corpus_profile import (
    MEASURES,
    attention_entropy,
    profile_arrays,
)
from tests.pipeline.corpora.scoring.random_profiles import random_profile


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
def test_entropy_is_divided_by_the_largest_possible(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [rng.dirichlet(np.ones(length)) for length in lengths]
    found = attention_entropy(np.concatenate(rows), np.array(lengths))
    for value, weights in zip(found, rows, strict=True):
        entropy = -sum(weight * math.log(weight) for weight in weights if weight > 0)
        expected = entropy / math.log(len(weights)) if len(weights) > 1 else 0
        assert value == pytest.approx(expected, abs=1e-6)


def test_attention_that_was_not_kept_is_not_measured() -> None:
    assert "attention_entropy" not in random_profile([3, 4], whole=False)
    assert set(random_profile([3, 4])) == {"documents", *MEASURES}
