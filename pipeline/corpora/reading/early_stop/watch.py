"""Counts the rows that a pipeline in this process reads and rejects, and stops it early.

A run fails at its end if it rejects more rows than `allowed_rejections` of the rows it read. That
number never falls when more rows are read. So a run cannot pass any more as soon as it has rejected
more rows than would be allowed if it read as many as its files can hold at most: it is stopped
then. `bound_rows` finds that number, by counting line ends and footers; it reads the files once
more, so it is asked only when the rows so far would fail the run.

Only the process that started the run watches, and sees its own rows alone: workers elsewhere read
on, and the run fails at its end. Rows are counted by unit, so that a unit that is read again counts
once.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from pipeline.corpora.reading.accounting import allowed_rejections, count_rejected
from pipeline.corpora.reading.counts import add_counts, add_to

SUSPICIOUS_ROWS = 1_000  # fewer rejections do not stop a run before its end

_lock = threading.Lock()
_current: "RejectionWatch | None" = None


class StoppedEarlyError(RuntimeError):
    """The run has rejected so many rows that it must fail."""


class RejectionWatch:
    """What a run has read and rejected so far.

    Args:
        max_rejected_fraction: of the corpus.
        bound: no more rows than it returns can be read in the run; called at most once.
    """

    def __init__(self, max_rejected_fraction: float, bound: Callable[[], float]) -> None:
        self._fraction = max_rejected_fraction
        self._find_bound = bound
        self._bound: float | None = None
        self._units: dict[int, dict[str, Any]] = {}
        self._read = self._rejected = 0
        self._first: list[pa.RecordBatch] = []
        self.stopped = False

    def begin(self, unit: int) -> None:
        """Forgets the rows of a unit, which is read from its start."""
        before = self._units.pop(unit, {})
        self._read -= before.get("read", 0)
        self._rejected -= sum(before.get("rejected", {}).values())

    def note(self, unit: int, rows_read: int, rejections: pa.RecordBatch | None) -> None:
        """Counts rows of a unit.

        Raises:
            StoppedEarlyError: if the run cannot pass any more.
        """
        counts = self._units.setdefault(unit, {"read": 0})
        counts["read"] += rows_read
        self._read += rows_read
        if rejections is not None and rejections.num_rows:
            found = count_rejected(rejections)
            add_to(counts, {name: found[name] for name in ("rejected", "first_rejected")})
            if sum(batch.num_rows for batch in self._first) < SUSPICIOUS_ROWS:
                self._first.append(rejections)
            self._rejected += rejections.num_rows
        if self._must_fail():
            self.stopped = True
            raise StoppedEarlyError(f"{self._rejected} rows were rejected")

    @property
    def first_rejections(self) -> Sequence[pa.RecordBatch]:
        """About `SUSPICIOUS_ROWS` rejections: those that were noted first."""
        return self._first

    @property
    def counts(self) -> dict[str, Any]:
        """`read`, `rejected` by reason, and `first_rejected`, over all units."""
        return add_counts([{"read": 0, "rejected": {}}, *self._units.values()])

    def _must_fail(self) -> bool:
        if self._rejected < SUSPICIOUS_ROWS:
            return False
        if self._rejected <= allowed_rejections(self._read, self._fraction):
            return False
        if self._bound is None:
            self._bound = self._find_bound()
        return cannot_pass(self._rejected, self._bound, self._fraction)


def cannot_pass(rejected: int, most_rows: float, max_rejected_fraction: float) -> bool:
    """Whether a run of at most `most_rows` rows fails, after so many of them were rejected."""
    if most_rows == float("inf"):
        return False
    return rejected > allowed_rejections(int(most_rows), max_rejected_fraction)


@contextlib.contextmanager
def watching(watch: RejectionWatch) -> Iterator[RejectionWatch]:
    """Lets `begin` and `note` of this process count in a watch within the block."""
    global _current
    outer, _current = _current, watch
    try:
        yield watch
    finally:
        _current = outer


def begin(unit: int) -> None:
    """A unit is read from its start."""
    with _lock:
        if _current is not None:
            _current.begin(unit)


def note(unit: int, *, rows_read: int = 0, rejections: pa.RecordBatch | None = None) -> None:
    """Rows of a unit were read, or rejected at this or a later step.

    Raises:
        StoppedEarlyError: if the run cannot pass any more.
    """
    with _lock:
        if _current is not None:
            _current.note(unit, rows_read, rejections)
