"""How many processes and threads a run uses: every core works, and none has two workers."""

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
from pipeline.runners.dataflow import ONE_PROCESS
from pipeline.runners.options import IN_PROCESS, with_runner


def process_threads(config: ScoringConfig, beam_options: Sequence[str]) -> int | Literal["auto"]:
    """Resolves `scoring.threads` for the workers that the Beam flags ask for.

    Returns:
        The number of threads of one worker process, or `auto` for one on every core that the
        process may use. `auto` becomes 1 where the runner starts a process for every core.
    """
    if config.threads == "auto" and runs_a_process_a_core(beam_options):
        return 1
    return config.threads


def runs_on_this_machine(beam_options: Sequence[str]) -> bool:
    """Whether all workers of the runner see this machine's disk."""
    options = PipelineOptions(with_runner(beam_options))
    return str(options.view_as(StandardOptions).runner) in IN_PROCESS


def has_one_worker(beam_options: Sequence[str]) -> bool:
    """Whether the runner does all work on one thread of this process."""
    options = PipelineOptions(with_runner(beam_options))
    workers = options.view_as(DirectOptions).direct_num_workers
    return runs_on_this_machine(beam_options) and workers == 1


def runs_a_process_a_core(beam_options: Sequence[str]) -> bool:
    """Whether the runner starts a worker process for every core of a machine.

    Dataflow does, without `--experiments=no_use_multiple_sdk_containers`. The local runner does
    with `--direct_running_mode=multi_processing`, a Flink or Spark cluster with
    `--sdk_worker_parallelism=0`.
    """
    options = PipelineOptions(list(beam_options))
    runner = str(options.view_as(StandardOptions).runner or "").lower()
    if "dataflow" in runner:
        return ONE_PROCESS not in (options.view_as(DebugOptions).experiments or ())
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        return True
    return str(options.view_as(PortableOptions).sdk_worker_parallelism) == "0"
