"""Checks Beam's flags before anything runs: the name of the runner, and unknown flags."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
    _BeamArgumentParser,
)

from model.config import ConfigError, TrainingConfig
from pipeline.runners.dataflow import check_dataflow

# If no runner is named, Beam looks for Prism on the network first. This one is part of Beam.
DEFAULT_RUNNER = "FnApiRunner"

IN_PROCESS = ("FnApiRunner", "DirectRunner")
RUNNERS = (
    *IN_PROCESS,
    "PrismRunner",
    "PortableRunner",
    "FlinkRunner",
    "SparkRunner",
    "DataflowRunner",
)
MAX_JOB_NAME = 52  # Dataflow allows 63; the name of a step is appended

REFUSED = {
    "DaskRunner": "it reports success and writes empty files",
    "InteractiveRunner": "it is for notebooks",
}


class _Parser(_BeamArgumentParser):
    """Beam's own parser, which knows all flags. Its errors become one line."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"flags after --: {message}. See Beam's pipeline options.")


def with_runner(flags: Sequence[str]) -> list[str]:
    """Puts the default runner before the flags if they name none."""
    named = any(flag == "--runner" or flag.startswith("--runner=") for flag in flags)
    return list(flags) if named else [f"--runner={DEFAULT_RUNNER}", *flags]


def name_job(flags: Sequence[str], *parts: str) -> list[str]:
    """Adds `--job_name` to flags that start a Dataflow job and give none.

    The same parts make the same name every time, so that the name is a lock: Dataflow refuses a
    job while another of the same name is running.

    Args:
        flags: Beam's flags.
        parts: of the name, such as the command, the model and the date.

    Raises:
        ConfigError: for an unknown runner.
    """
    options = PipelineOptions(with_runner(flags))
    runner = _check_name(str(options.view_as(StandardOptions).runner))
    if runner != "DataflowRunner" or options.view_as(GoogleCloudOptions).job_name:
        return list(flags)
    name = re.sub("[^a-z0-9]+", "-", "-".join(["limelight", *parts]).lower())
    return [*flags, f"--job_name={name[:MAX_JOB_NAME].strip('-')}"]


def check_runner(
    flags: Sequence[str],
    *,
    paths: Mapping[str, str],
    training: TrainingConfig | None = None,
) -> None:
    """Refuses flags that would fail later: on a worker, or after a job has cost money.

    Args:
        flags: Beam's flags: the profile's and those after `--`.
        paths: where the command reads and writes, by the option or config key that says so.
        training: the config section of a command that trains.

    Raises:
        ConfigError: for the first problem found, in one line.
    """
    flags = with_runner(flags)
    unknown = _unknown_flags(flags)
    options = PipelineOptions(flags)
    runner = _check_name(str(options.view_as(StandardOptions).runner))
    if unknown and runner in (*IN_PROCESS, "DataflowRunner"):
        # The other runners have flags of their own, which Beam learns from them when they start.
        close = difflib.get_close_matches(unknown[0].split("=")[0], _known_flags(), n=1)
        hint = f"did you mean {close[0]}?" if close else "see Beam's pipeline options."
        raise ConfigError(f"flags after --: expected Beam's, got {unknown[0]}, {hint}")
    if runner == "DataflowRunner":
        check_dataflow(options, paths=paths, training=training)


def _check_name(name: str) -> str:
    """The runner's class name. A user may leave out `Runner`, or write the module before it."""
    short = name.rsplit(".", 1)[-1]
    by_name = {known.lower(): known for known in (*RUNNERS, *REFUSED)}
    runner = by_name.get(short.lower()) or by_name.get(f"{short}runner".lower())
    if runner in REFUSED:
        raise ConfigError(
            f"--runner={name}: expected a runner that does the work, but {REFUSED[runner]}. "
            f"Use one of {', '.join(RUNNERS)}."
        )
    if runner is None and "." not in name:
        close = difflib.get_close_matches(name, RUNNERS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are: {', '.join(RUNNERS)}."
        raise ConfigError(f"--runner={name}: expected the name of a runner, got another; {hint}")
    return runner or name


def _new_parser() -> _Parser:
    parser = _Parser(allow_abbrev=False)
    for view in PipelineOptions.__subclasses__():
        view._add_argparse_args(parser)
    return parser


def _unknown_flags(flags: Sequence[str]) -> list[str]:
    _, unknown = _new_parser().parse_known_args(list(flags))
    return list(unknown)


def _known_flags() -> list[str]:
    return [flag for action in _new_parser()._actions for flag in action.option_strings]
