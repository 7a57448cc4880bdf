import ctypes
import os
import signal
from collections.abc import Iterator

import pytest

from pipeline.process import progress, signals


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """The handlers of a command, and after it those that were there."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
    signals.heed_signals()
    yield
    signals.heed_signals()  # forgets
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_once(number: int) -> None:
    signals.check()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_is_lost_in_c_stops_at_the_next_batch() -> None:
    lost = ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGTERM))
    lost()
    with pytest.raises(KeyboardInterrupt):
        progress.advance(1)


def test_a_signal_that_is_to_be_ignored_is() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.heed_signals()
    os.kill(os.getpid(), signal.SIGINT)
    signals.check()
