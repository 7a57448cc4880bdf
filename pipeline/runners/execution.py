"""Running a Beam pipeline: the runner, its options, its failures."""

import contextlib
import logging
from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from pipeline.process import signals
from pipeline.runners.options import with_runner

logger = logging.getLogger("limelight")


class RunError(RuntimeError):
    """A run that failed; the message is one line for a person."""


@contextlib.contextmanager
def running(beam_options: Sequence[str], *, step: str) -> Iterator[beam.Pipeline]:
    """A pipeline that runs when the block ends.

    Args:
        beam_options: Beam's own flags, as given after `--`.
        step: what the pipeline does, in a word. A command may run several, and an engine
            takes no two jobs of one name: the step ends the name, where there is one.

    Raises:
        KeyboardInterrupt: if it failed because the command is to stop.
        RunError: if the pipeline fails, with the innermost error's message.
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
        raise RunError(f"the pipeline failed: {innermost_message(error)}") from error


def innermost_message(error: BaseException) -> str:
    """The last line of the innermost error, which Beam wraps in tracebacks and step names."""
    while error.__cause__ is not None:
        error = error.__cause__
    # An engine that is gone is an error of gRPC: its text is a form, its details say what is.
    details = getattr(error, "details", None)
    text = str(details() if callable(details) else error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"
