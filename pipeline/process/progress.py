"""Shows progress: as a bar if standard error is a terminal, otherwise as lines in the log.

Transforms call `advance` for the rows they finish. Only the process that shows progress counts
them; in any other process `advance` only checks for signals.
"""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.process import signals

logger = logging.getLogger("limelight")

LINE_SECONDS = 10.0  # between two lines of progress in a log

_lock = threading.Lock()
_current: "_Shown | None" = None


class _Shown:
    """A count in progress, shown as a bar or as lines."""

    def __init__(self, title: str, *, total: int | None, unit: str, console: Console) -> None:
        self.title = title
        self.total = total
        self.unit = unit
        self.done = 0
        self.started = self.last_line = time.monotonic()
        self.bar: Progress | None = None
        if console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description:<10}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            self.task = self.bar.add_task(title, total=total, rate="")

    def advance(self, amount: int) -> None:
        self.done += amount
        moment = time.monotonic()
        rate = f"{self.done / max(moment - self.started, 1e-9):,.0f} {self.unit}/s"
        if self.bar is not None:
            self.bar.update(self.task, advance=amount, rate=rate)
        elif moment - self.last_line >= LINE_SECONDS:
            self.last_line = moment
            of_total = f" of {self.total:,}" if self.total else ""
            logger.info("%s: %s%s %s, %s", self.title, f"{self.done:,}", of_total, self.unit, rate)


@contextlib.contextmanager
def shown(title: str, *, total: int | None = None, unit: str = "documents") -> Iterator[None]:
    """Shows on standard error what `advance` counts within the block.

    Args:
        title: names the work.
        total: how much there is to count, if that is known.
        unit: what is counted.
    """
    global _current
    shown_now = _Shown(title, total=total, unit=unit, console=Console(file=sys.stderr))
    outer = _current
    _current = shown_now
    try:
        with shown_now.bar or contextlib.nullcontext():
            yield
    finally:
        _current = outer


def advance(amount: int) -> None:
    """Counts `amount` more as done, if this process shows progress.

    Raises:
        KeyboardInterrupt: if a signal asked this process to stop.
    """
    signals.check()
    with _lock:
        if _current is not None:
            _current.advance(amount)
