import copy
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.reading.counts import add_counts, count_values, sort_by_count

COUNTS = st.fixed_dictionaries(
    {},
    optional={
        "rows": st.integers(-5, 5),
        "splits": st.dictionaries(
            st.sampled_from(["train", "test"]),
            st.dictionaries(st.sampled_from("abc"), st.integers(-5, 5)),
        ),
    },
)


@given(st.lists(COUNTS), st.integers(0, 10))
def test_counts_add_up_in_any_grouping_and_order(parts: list[dict[str, Any]], at: int) -> None:
    before = copy.deepcopy(parts)
    whole = add_counts(parts)
    assert add_counts([add_counts(parts[:at]), add_counts(parts[at:])]) == whole
    assert add_counts(reversed(parts)) == whole
    assert parts == before


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers())))
def test_every_leaf_is_a_sum(parts: list[dict[str, int]]) -> None:
    total = add_counts({"deep": part} for part in parts).get("deep", {})
    assert total == {
        key: sum(part.get(key, 0) for part in parts)
        for key in {key for part in parts for key in part}
    }


def test_the_sum_of_no_counts_is_empty() -> None:
    assert add_counts([]) == {}


def test_a_sum_shares_nothing_with_its_parts() -> None:
    part = {"files": {"a": {"rows": 1}}}
    total = add_counts([part])
    add_counts([total, part])
    assert total == part == {"files": {"a": {"rows": 1}}}


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (pa.array(["b", "a", None, "b"]), {"b": 2, "a": 1}),
        (pa.array([3, 3, 1], pa.int32()), {"3": 2, "1": 1}),
        (pa.array([None, None], pa.string()), {}),
        (pa.array([], pa.string()), {}),
        (pa.chunked_array([["a"], ["a", "b"]]), {"a": 2, "b": 1}),
    ],
)
def test_values_are_counted_as_text(values: pa.Array, counts: dict[str, int]) -> None:
    assert count_values(values) == counts


def test_counts_are_sorted_by_count_and_then_by_value() -> None:
    assert sort_by_count({"b": 1, "c": 2, "a": 1, "d": 3}) == [
        ("d", 3),
        ("c", 2),
        ("a", 1),
        ("b", 1),
    ]
    assert sort_by_count({}) == []
