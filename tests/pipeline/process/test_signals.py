import ctypes
import os
import signal
from collections.abc import Iterator

import pytest

from pipeline.process import progress, signals


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    """Installs the handlers of a command, and puts the old ones back after the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # ignored if a shell started the tests with `&`
    signals.handle_signals()
    yield
    signals.handle_signals()  # resets the flag
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_once(number: int) -> None:
    signals.check()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_whose_exception_c_code_drops_stops_at_the_next_batch() -> None:
    lost = ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGTERM))
    lost()
    with pytest.raises(KeyboardInterrupt):
        progress.advance(1)


def test_a_signal_that_was_ignored_before_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.handle_signals()
    os.kill(os.getpid(), signal.SIGINT)
    signals.check()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_the_end_of_a_command_a_signal_ends_the_process(number: int) -> None:
    signals.end_at_signals()
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_handler_of_somebody_else_stays_at_the_end() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signals.end_at_signals()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
