"""SIGTERM (from a scheduler) and Ctrl-C (from a person) end a command cleanly.

An exception from a signal handler can be lost: C code that calls Python, such as the entry of a
compiled kernel, drops it, and Beam replaces it with another error. So the handler also sets
a flag, and `check` looks at it after every batch, when a pipeline fails, and before a commit.
"""

import signal
import threading
from typing import NoReturn

_stop_requested = threading.Event()


def handle_signals() -> None:
    """Makes SIGTERM and SIGINT raise `KeyboardInterrupt`, at once and again in `check`."""
    _stop_requested.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) != signal.SIG_IGN:  # a shell's background job ignores SIGINT
            signal.signal(number, _stop)


def end_at_signals() -> None:
    """From now on a signal ends the process at once and without a word."""
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is _stop:
            signal.signal(number, signal.SIG_DFL)


def check() -> None:
    """Raises `KeyboardInterrupt` if a signal asked this process to stop."""
    if _stop_requested.is_set():
        raise KeyboardInterrupt


def _stop(number: int, frame: object) -> NoReturn:
    _stop_requested.set()
    raise KeyboardInterrupt
