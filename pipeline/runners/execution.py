"""Runs a Beam pipeline with the flags given to a command; a failure becomes one line."""

import contextlib
import errno
import logging
import re
from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from model.config import ConfigError
from pipeline.process import signals
from pipeline.runners.options import with_runner

logger = logging.getLogger("limelight")

# What to do about errors of the system; the message of one that crossed a worker is only text.
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_FULL = (
    ". The disk of the workspace or output, or of temporary files (TMPDIR), is full: free some "
    "space and run the command again."
)
_NOT_WRITABLE = ". Name a workspace or output, and a TMPDIR, that can be written."
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _NOT_WRITABLE,
    errno.EACCES: _NOT_WRITABLE,
}
# What Beam appends to the message of an error.
_STEP = re.compile(r" \[while running '[^']*'\]$")


class RunError(RuntimeError):
    """A run failed. The message is one line for the user; the exit code is 1."""


@contextlib.contextmanager
def beam_pipeline(beam_options: Sequence[str], *, step: str) -> Iterator[beam.Pipeline]:
    """Gives a new pipeline to the block, runs it when the block ends, and waits until it is done.

    Args:
        beam_options: Beam's own flags, as given after `--`.
        step: what the pipeline does, in one word. It is appended to `--job_name` if there is one:
            a command may run several pipelines, and an engine refuses two jobs of the same name.

    Raises:
        KeyboardInterrupt: if the pipeline failed because a signal stops the command.
        ConfigError: if a worker in this process raised one.
        RunError: if the pipeline fails otherwise, with the innermost error's message.
    """
    try:
        options = PipelineOptions(with_runner(beam_options), save_main_session=False)
        cloud = options.view_as(GoogleCloudOptions)
        if cloud.job_name:
            cloud.job_name = f"{cloud.job_name}-{step}"
        with beam.Pipeline(options=options) as root:
            yield root
    except RunError:
        raise
    except Exception as error:  # Beam re-raises what a worker raised, under several types.
        signals.check()
        logger.debug("the pipeline failed", exc_info=error)
        innermost = innermost_error(error)
        if isinstance(innermost, ConfigError):  # a worker met what only the user can correct
            raise ConfigError(_STEP.sub("", str(innermost))) from error
        message = innermost_message(error)
        found = _ERRNO.search(message)
        remedy = _REMEDIES.get(int(found[1]), "") if found else ""
        raise RunError(f"the pipeline failed: {message}{remedy}") from error


def innermost_error(error: BaseException) -> BaseException:
    """The error that went wrong first."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def innermost_message(error: BaseException) -> str:
    """Finds what went wrong first: Beam wraps it in tracebacks and step names.

    Returns:
        The innermost error's type and the last line of its message.
    """
    error = innermost_error(error)
    # gRPC's errors, such as of an engine that is gone, name the cause in `details()` only.
    details = getattr(error, "details", None)
    text = str(details() if callable(details) else error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"
