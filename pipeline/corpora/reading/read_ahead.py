"""Reads ahead: a thread makes the next item while the caller works on the current one."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")


def read_ahead(items: Iterable[ItemT]) -> Iterator[ItemT]:
    """Yields items in order while a thread makes the next one.

    Besides the item that was yielded, at most one is in memory. If making an item raises an
    exception, that exception is raised here in place of the item.
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        following = thread.submit(next, iterator, end)
        while (item := following.result()) is not end:
            following = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]  # not `end` here
