"""`read_ahead` keeps the order of items and their errors, and makes one item ahead at most."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.reading.read_ahead import read_ahead


@given(st.lists(st.integers() | st.none()))
def test_items_come_in_order(items: list[int | None]) -> None:
    assert list(read_ahead(items)) == items


def test_the_items_before_an_error_are_yielded_first() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("torn")

    ahead = read_ahead(items())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ValueError, match="torn"):
        next(ahead)


def test_only_the_next_item_is_made_while_the_caller_works_on_one() -> None:
    made: list[int] = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert second.wait(timeout=10)
    assert made == [0, 1]
    ahead.close()  # type: ignore[attr-defined]
    assert made == [0, 1]
