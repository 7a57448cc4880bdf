"""Nested counts: dictionaries of numbers or of further such dictionaries, added key by key.

A list among them is an example, such as the first rejected row; of two examples the smaller stays.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def add_counts(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of nested counts; a key that is in only one of them keeps its value.

    >>> add_counts([{"rows": {"a": 1}}, {"rows": {"a": 2, "b": 1}}])
    {'rows': {'a': 3, 'b': 1}}
    >>> add_counts([{"first": ["b.csv", 7]}, {"first": ["a.csv", 9]}])
    {'first': ['a.csv', 9]}
    """
    total: dict[str, Any] = {}
    for part in parts:
        add_to(total, part)
    return total


def add_to(total: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Adds nested counts to `total`, in time proportional to the size of `part` alone."""
    for key, value in part.items():
        if isinstance(value, Mapping):
            add_to(total.setdefault(key, {}), value)
        elif isinstance(value, list):
            total[key] = min(total.get(key, value), value)
        else:
            total[key] = total.get(key, 0) + value


def count_values(values: pa.Array) -> dict[str, int]:
    """How often each value occurs. The keys are the values as strings; nulls are not counted."""
    counted = pc.value_counts(values.drop_null())
    return {
        str(value): count
        for value, count in zip(
            counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True
        )
    }


def sort_by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """`(value, count)` pairs, the largest count first; equal counts in the order of the values.

    >>> sort_by_count({"b": 1, "c": 2, "a": 1})
    [('c', 2), ('a', 1), ('b', 1)]
    """
    return sorted(counts.items(), key=_largest_first)


def _largest_first(item: tuple[str, int]) -> tuple[int, str]:
    value, count = item
    return -count, value
