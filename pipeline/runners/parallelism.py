"""How many processes and threads work, so that all cores do and none twice."""

from collections.abc import Sequence
from typing import Literal

from apache_beam.options.pipeline_options import (
    DebugOptions,
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)

from pipeline.config.sections import ScoringConfig
from pipeline.runners.options import IN_PROCESS, with_runner

ONE_PROCESS = "no_use_multiple_sdk_containers"


def process_threads(config: ScoringConfig, beam_options: Sequence[str]) -> int | Literal["auto"]:
    """What `scoring.threads` means on the workers that the Beam options ask for.

    Returns:
        A number, or `auto` for every core that the worker's process may use.
    """
    if config.threads == "auto" and runs_a_process_a_core(beam_options):
        return 1
    return config.threads


def has_one_worker(beam_options: Sequence[str]) -> bool:
    """Whether the runner reads everything on one thread of this process."""
    options = PipelineOptions(with_runner(beam_options))
    runner = str(options.view_as(StandardOptions).runner)
    return runner in IN_PROCESS and options.view_as(DirectOptions).direct_num_workers == 1


def runs_a_process_a_core(beam_options: Sequence[str]) -> bool:
    """Whether the runner starts a worker process for every core of a machine.

    Dataflow does unless it is told otherwise; the local runner does with
    `--direct_running_mode=multi_processing`, and a Flink or Spark cluster with
    `--sdk_worker_parallelism=0`.
    """
    options = PipelineOptions(list(beam_options))
    runner = str(options.view_as(StandardOptions).runner or "").lower()
    if "dataflow" in runner:
        return ONE_PROCESS not in (options.view_as(DebugOptions).experiments or ())
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        return True
    return str(options.view_as(PortableOptions).sdk_worker_parallelism) == "0"
