"""A reader of a partition that waits for `_SUCCESS`, and reads while runs are at work."""

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from pipeline.nights.partition import SUCCESS
from tests.pipeline.stages.nights import Nights, read_rows


class Reader:
    """Reads the partition of a date again and again: it must hold `allowed` rows, or nothing yet.

    Attributes:
        seen: how often each of `allowed` was seen.
        waited: how often there was no `_SUCCESS`.
    """

    def __init__(self, nights: Nights, *, allowed: Sequence[pa.Table]) -> None:
        self._folder = Path(nights.partition().predictions)
        self._allowed = allowed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._error: BaseException | None = None
        self.seen = [0] * len(allowed)
        self.waited = 0

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def look(self) -> None:
        """Reads the partition once. A read during which `_SUCCESS` changed does not count."""
        before = self._success()
        if before is None:
            self.waited += 1
            return
        try:
            table = read_rows(self._folder)
            found = [table.equals(rows) for rows in self._allowed]
            assert any(found), "a reader found rows that are not those of one whole run"
        except (OSError, AssertionError):
            if self._success() == before:
                raise
        else:
            self.seen[found.index(True)] += 1

    def _success(self) -> bytes | None:
        try:
            return (self._folder / SUCCESS).read_bytes()
        except FileNotFoundError:
            return None

    def _watch(self) -> None:
        try:
            while not self._stop.wait(0.002):
                self.look()
        except BaseException as error:
            self._error = error
