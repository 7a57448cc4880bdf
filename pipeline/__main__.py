"""`python -m pipeline`, and the console script `limelight`."""

import atexit
import contextlib
import gc
import itertools
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from pipeline.process.beam_imports import import_beam, names_runner
from pipeline.process.logs import JsonLines, LogFormat, PlainLines, log_end
from pipeline.process.signals import heed_signals

FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130

# Objects made between two looks for garbage. Importing Beam makes hundreds of thousands that
# stay; Python's own 700 costs a fifth of the imports.
OBJECTS_A_COLLECTION = 50_000


def run_process() -> NoReturn:
    """The whole of a process: one command, then its end.

    Everything is written and closed by then, and the interpreter would take 0.7 s to take
    Beam, Arrow and Numba apart, of 7 for a corpus of 25,000 documents. The system does it at once.
    """
    gc.set_threshold(OBJECTS_A_COLLECTION, 10, 10)
    exit_code = main()
    atexit._run_exitfuncs()  # temporary folders and child processes
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # a reader such as `head` that had enough
            stream.flush()
    os._exit(exit_code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; every failure is one line."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    verbose = "--verbose" in ours
    log_format: LogFormat = "json" if _is_json(ours) else "text"
    _set_up_logging(verbose=verbose, log_format=log_format)
    exit_code = _run(arguments, verbose=verbose)
    if log_format == "json":
        log_end(ours[0], exit_code=exit_code)
    return exit_code


def _is_json(ours: Sequence[str]) -> bool:
    """Read before the command line is parsed: an error in it is logged too."""
    return "--log-format=json" in ours or ("--log-format", "json") in itertools.pairwise(ours)


def _run(arguments: Sequence[str], *, verbose: bool) -> int:
    if not names_runner(arguments):
        import_beam()
    from model.config import ConfigError
    from pipeline.cli.commands import run_command
    from pipeline.corpora.reading.accounting import AccountingError
    from pipeline.nights.lease import LeaseError
    from pipeline.runners.execution import RunError

    heed_signals()
    try:
        return run_command(arguments)
    except ConfigError as error:
        return _fail(str(error), code=BAD_USAGE)
    except (RunError, AccountingError, LeaseError) as error:
        return _fail(str(error), code=FAILED, error=error if verbose else None)
    except KeyboardInterrupt:
        return _fail("stopped by a signal; run again to have the whole of it", code=INTERRUPTED)
    except Exception as error:
        message = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        hint = "" if verbose else " Run again with --verbose for the traceback."
        return _fail(f"{message}.{hint}", code=FAILED, error=error if verbose else None)


def _fail(message: str, *, code: int, error: BaseException | None = None) -> int:
    logging.getLogger("limelight").error("error: %s", message, exc_info=error)
    return code


def _set_up_logging(*, verbose: bool, log_format: LogFormat) -> None:
    """Ours on standard error; TensorFlow's and Beam's start-up noise only if asked for."""
    if not verbose:
        _silence_native_libraries()
        warnings.simplefilter("ignore")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else PlainLines("%(message)s"))
    ours = logging.getLogger("limelight")
    ours.setLevel(logging.DEBUG if verbose else logging.INFO)
    ours.addHandler(handler)
    ours.propagate = False
    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL)


def _silence_native_libraries() -> None:
    """Takes file descriptor 2 from TensorFlow, CUDA and gRPC; Python keeps standard error.

    Their start-up lines are written past every logging switch they document.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    ours = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(ours, "w", buffering=1, encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    run_process()
