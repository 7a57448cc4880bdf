"""Reading ahead: the next batch is made while this one is worked on."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")


def read_ahead(items: Iterable[ItemT]) -> Iterator[ItemT]:
    """Yields items in order while a thread makes the one that follows.

    One item is held beside the one that was yielded. What making an item raises is raised
    where the item would have been yielded.
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]  # `end` is none of the items
