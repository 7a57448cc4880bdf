"""Runs one command in this process: its log, its signals, its exit code."""

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

from pipeline.cli.exit_codes import BAD_USAGE, FAILED, INTERRUPTED
from pipeline.cli.invocation import split_beam_options
from pipeline.process.logs import JsonLines, LogFormat, PlainLines, log_end
from pipeline.process.signals import end_at_signals, handle_signals
from pipeline.process.standard_streams import (
    StandardOutputError,
    open_standard_streams,
    text_stream,
)

# Python looks for garbage after this many new objects, and after 11 such looks at all objects made
# since the last one. Importing Beam makes about 600,000 objects, all of which stay. With Python's
# default of 700 a fifth of the imports' time goes into looking. With 50,000 the look at all of them
# comes before the first document and takes 0.1 s of CPU time.
OBJECTS_A_COLLECTION = 200_000


def run_and_exit(arguments: Sequence[str]) -> NoReturn:
    """Runs one command and ends the process without taking the interpreter apart.

    All files are written and closed by then. Python would still take 0.7 s to free the objects
    of Beam, Arrow and Numba, of 7 s for a corpus of 25,000 documents. The system does it at once.

    Args:
        arguments: the command line behind `limelight`.
    """
    open_standard_streams()
    gc.set_threshold(OBJECTS_A_COLLECTION, 10, 10)
    try:
        exit_code = run(arguments)
        end_at_signals()
    except KeyboardInterrupt:  # a signal while the end of the command was logged
        exit_code = INTERRUPTED
    atexit._run_exitfuncs()  # these delete temporary folders and end child processes
    try:
        sys.stdout.flush()
    except OSError as error:  # the disk that standard output is written to is full
        exit_code = exit_code or _fail(str(error), code=FAILED)  # a failure has said its own line
    with contextlib.suppress(OSError):  # nothing is left to say it with
        sys.stderr.flush()
    os._exit(exit_code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns the exit code. Every failure is logged in one line.

    Args:
        arguments: the command line behind `limelight`.
    """
    ours, _ = split_beam_options(arguments)
    verbose = "--verbose" in ours
    log_format: LogFormat = "json" if _is_json(ours) else "text"
    _set_up_logging(verbose=verbose, log_format=log_format)
    exit_code = _run_and_report(arguments, verbose=verbose)
    if log_format == "json":
        log_end(ours[0], exit_code=exit_code)
    return exit_code


def _is_json(ours: Sequence[str]) -> bool:
    """Looks for the option before the command line is parsed, whose errors are logged too."""
    return "--log-format=json" in ours or ("--log-format", "json") in itertools.pairwise(ours)


def _run_and_report(arguments: Sequence[str], *, verbose: bool) -> int:
    try:
        handle_signals()
        return _run_or_fail(arguments, verbose=verbose)
    except KeyboardInterrupt:
        return _fail("stopped by a signal; run the command again to finish", code=INTERRUPTED)


def _run_or_fail(arguments: Sequence[str], *, verbose: bool) -> int:
    """Runs the command; its error becomes one line. A signal may come during the imports."""
    from model.config import ConfigError
    from model.runtime.backend import backend_name, use_backend

    try:
        use_backend(backend_name())
    except ValueError as error:
        return _fail(str(error), code=BAD_USAGE)
    try:
        from pipeline.cli.app import run_command

        return run_command(arguments)
    except ConfigError as error:
        return _fail(str(error), code=BAD_USAGE)
    except Exception as error:
        message = str(error)
        if not _is_expected(error):
            hint = "" if verbose else " Run again with --verbose for the traceback."
            message = f"unexpected {type(error).__name__}: {' '.join(message.split())}.{hint}"
        return _fail(message, code=FAILED, error=error if verbose else None)


def _is_expected(error: Exception) -> bool:
    """Whether the message is written for the user. Imported late: these modules import Beam."""
    from pipeline.corpora.reading.accounting import AccountingError
    from pipeline.nights.lease import LeaseError
    from pipeline.runners.execution import RunError
    from pipeline.storage.local_files import IrregularFileError

    expected = RunError | AccountingError | LeaseError | IrregularFileError | StandardOutputError
    return isinstance(error, expected)


def _fail(message: str, *, code: int, error: BaseException | None = None) -> int:
    logging.getLogger("limelight").error("error: %s", message, exc_info=error)
    return code


def _set_up_logging(*, verbose: bool, log_format: LogFormat) -> None:
    """Logs to standard error; the libraries' own lines appear with `--verbose` only."""
    if not verbose:
        _silence_native_libraries()
        warnings.simplefilter("ignore")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else PlainLines("%(message)s"))
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.setFormatter(PlainLines(logging.BASIC_FORMAT))
    ours = logging.getLogger("limelight")
    ours.setLevel(logging.DEBUG if verbose else logging.INFO)
    ours.addHandler(handler)
    ours.propagate = False
    logging.basicConfig(
        level=logging.INFO if verbose else logging.CRITICAL, handlers=[of_libraries]
    )


def _silence_native_libraries() -> None:
    """Points file descriptor 2 at the null device; Python's standard error moves to a copy.

    TensorFlow, CUDA and gRPC write start-up lines to descriptor 2 whatever their documented
    logging switches say.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    ours = os.dup(2)
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, 2)
    os.close(null_device)
    sys.stderr = text_stream(ours, like=sys.stderr)
