"""Stopping: a scheduler's SIGTERM and a person's Ctrl-C end a command cleanly.

What a signal handler raises can get lost: code in C that calls Python, such as a compiled
kernel's entry, drops it, and Beam makes an error of its own out of it. So the wish is
remembered, and looked for after every batch, where a pipeline fails, and before a commit.
"""

import signal
import threading
from typing import NoReturn

_wanted = threading.Event()


def heed_signals() -> None:
    """From now on SIGTERM and SIGINT raise `KeyboardInterrupt`, at once and in `check`."""
    _wanted.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup asks for
            signal.signal(number, _stop)


def check() -> None:
    """Raises `KeyboardInterrupt` if a signal came."""
    if _wanted.is_set():
        raise KeyboardInterrupt


def _stop(number: int, frame: object) -> NoReturn:
    _wanted.set()
    raise KeyboardInterrupt
