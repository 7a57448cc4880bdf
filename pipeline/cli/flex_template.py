"""The Flex Template of `score`: a Dataflow job of one step, in which one worker runs the command.

A template's launcher hands Dataflow a graph of steps and ends. Nothing is left that could renew
the lease of a date, count the rows and publish them. So the graph has a single step, and its worker
runs the whole command, from the lease to `_SUCCESS`, with a process a core. If the worker is lost,
Dataflow starts another, and the rerun ends in the state of a run that was never lost.
"""

import argparse
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from model.config import ConfigError
from model.runtime.cores import usable_cores
from pipeline.cli.app import parse_command
from pipeline.cli.exit_codes import DONE, GATE_TRIPPED
from pipeline.runners.dataflow import ONE_PROCESS

# The template's parameters, as in metadata.json: options of `score`, with _ in place of -.
PARAMETERS = ("model", "input", "output", "date", "if_exists", "reuse_from")
PATHS = ("model", "input", "output")

IMAGE = "LIMELIGHT_IMAGE"  # a variable of the image, set to the image's own name
ONE_WORKER = (f"--experiments={ONE_PROCESS}", "--max_num_workers=1")

logger = logging.getLogger("limelight")


def launch(arguments: Sequence[str]) -> None:
    """Gives the job to the runner and does not wait for it.

    Args:
        arguments: the template's parameters and Beam's flags, as the launcher passes them.

    Raises:
        ConfigError: as `command_line` does.
    """
    command, beam_options = command_line(arguments)
    image = os.environ.get(IMAGE)
    if image:
        beam_options = [f"--sdk_container_image={image}", *beam_options]
    root = beam.Pipeline(options=PipelineOptions([*ONE_WORKER, *beam_options]))
    define_job(root, command)
    root.run()


def command_line(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Turns the arguments of a launch into a command.

    `today` and `yesterday` become dates here, so that a worker that replaces another after
    midnight scores the same date.

    Returns:
        `(command, beam_options)`: the words after `limelight`, and Beam's flags.

    Raises:
        ConfigError: for a parameter that `score` would refuse, or a path that is not in gs://.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in PARAMETERS:
        parser.add_argument(f"--{name}")
    parsed, beam_options = parser.parse_known_args(list(arguments))
    given = {name: value for name, value in vars(parsed).items() if value}
    for name in PATHS:
        if not given.get(name, "").startswith("gs://"):
            raise ConfigError(
                f"parameter {name}: expected a path in gs://, got {given.get(name)!r}. Give one."
            )
    options = parse_command(_score_command({"date": "today", **given}))
    return _score_command({**given, "date": options["date"]}), beam_options


def _score_command(given: Mapping[str, str]) -> list[str]:
    return ["score", *(f"--{name.replace('_', '-')}={value}" for name, value in given.items())]


def define_job(root: beam.Pipeline, command: Sequence[str]) -> None:
    """A step that runs the command; its output is the exit code."""
    root | "Command" >> beam.Create([list(command)]) | "Run" >> beam.ParDo(_RunCommand())


class _RunCommand(beam.DoFn):
    def process(self, command: list[str]) -> Iterator[int]:
        cores = usable_cores()
        flags = [f"--direct_num_workers={cores}"]
        if cores > 1:
            flags.append("--direct_running_mode=multi_processing")
        words = [sys.executable, "-m", "pipeline", *command, "--", "--runner=FnApiRunner", *flags]
        lines = [""]
        with subprocess.Popen(  # noqa: S603 - this package, with this Python
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                logger.info("%s", lines[-1])
        if process.returncode == GATE_TRIPPED:  # the rows are published, so the job succeeds
            logger.warning("limelight score: a gate tripped; see the report of the run")
        elif process.returncode != DONE:
            raise RuntimeError(f"limelight score: exit code {process.returncode}: {lines[-1]}")
        yield process.returncode
