"""Beam's flags, checked before anything runs: the runner, and words that mean nothing."""

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

# Without a runner Beam looks for Prism on the network first; this one is always here.
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
MAX_JOB_NAME = 52  # of Dataflow's 63, so that the name of a step can follow

REFUSED = {
    "DaskRunner": "it reports success and writes empty files",
    "InteractiveRunner": "it is for notebooks",
}


class _Parser(_BeamArgumentParser):
    """Beam's own parser of flags, which knows all of them; it complains in one line."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"flags after --: {message}. See Beam's pipeline options.")


def with_runner(flags: Sequence[str]) -> list[str]:
    """The flags, with the default runner where they name none."""
    named = any(flag == "--runner" or flag.startswith("--runner=") for flag in flags)
    return list(flags) if named else [f"--runner={DEFAULT_RUNNER}", *flags]


def name_job(flags: Sequence[str], *parts: str) -> list[str]:
    """The flags with a name for a Dataflow job, where they give none.

    The name of the same command on the same day is the same, which makes it a lock: Dataflow
    refuses a job while one of its name is running.
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
    """Refuses what would fail later, or on workers, or cost money first.

    Args:
        flags: Beam's flags, a profile's and those after `--`.
        paths: where the run reads and writes, by the flag or key that says so.
        training: of a run that trains.

    Raises:
        ConfigError: in one line.
    """
    flags = with_runner(flags)
    unknown = _unknown_flags(flags)
    options = PipelineOptions(flags)
    runner = _check_name(str(options.view_as(StandardOptions).runner))
    if unknown and runner in (*IN_PROCESS, "DataflowRunner"):
        # Other runners are asked for the flags that only they know.
        close = difflib.get_close_matches(unknown[0].split("=")[0], _known_flags(), n=1)
        hint = f"did you mean {close[0]}?" if close else "see Beam's pipeline options."
        raise ConfigError(f"flags after --: expected Beam's, got {unknown[0]}, {hint}")
    if runner == "DataflowRunner":
        check_dataflow(options, paths=paths, training=training)


def _check_name(name: str) -> str:
    """The runner's class name, which a user may write without its end or with its module."""
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
        raise ConfigError(f"--runner={name}: expected a runner, got another name; {hint}")
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
