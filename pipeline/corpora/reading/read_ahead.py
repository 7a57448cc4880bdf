"""Reading ahead: a thread makes the next item while the caller works on the current one."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")


def read_ahead(items: Iterable[ItemT]) -> Iterator[ItemT]:
    """Yields items in order while a thread makes the next one.

    At most one item is held besides the one that was yielded. An exception raised while an
    item is made is raised here in place of that item.
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        following = thread.submit(next, iterator, end)
        while (item := following.result()) is not end:
            following = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]  # not `end` here
