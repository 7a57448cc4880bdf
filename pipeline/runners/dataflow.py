"""Checks Dataflow's flags on this machine, before a request is sent or a worker starts."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from model.config import ConfigError, TrainingConfig

JOB_NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
PROJECT = r"([a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]"
REGION = r"[a-z]+-[a-z]+[0-9]+"
GCS_PATH = r"gs://[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]/.+"
LABEL = r"[a-z][-_a-z0-9]{0,62}=[-_a-z0-9]{0,63}"
MIN_DISK_GB = 30

# Accelerators that Google attaches to machines of type n1 only.
ON_N1 = ("nvidia-tesla-t4", "nvidia-tesla-v100", "nvidia-tesla-p100", "nvidia-tesla-p4")

# An experiment of Dataflow: one worker process a machine. The default is one a core.
ONE_PROCESS = "no_use_multiple_sdk_containers"


def check_dataflow(
    options: PipelineOptions, *, paths: Mapping[str, str], training: TrainingConfig | None
) -> None:
    """Refuses flags, paths or a training section that would fail on Dataflow.

    Args:
        options: Beam's flags, parsed.
        paths: where the command reads and writes, by the option or config key that says so.
        training: the config section of a command that trains.

    Raises:
        ConfigError: for the first problem found, in one line.
    """
    given = options.get_all_options()
    for problem in _problems(given, paths, training):
        raise ConfigError(f"DataflowRunner: {problem}")


def _problems(
    given: Mapping[str, Any], paths: Mapping[str, str], training: TrainingConfig | None
) -> Iterator[str]:
    """Yields every problem, beginning with project, region and temporary folder."""
    yield from _problems_of_place(given)
    yield from _problems_of_paths(given, paths)
    yield from _problems_of_workers(given)
    if training is not None:
        yield from _problems_of_training(given, training)


def _problems_of_place(given: Mapping[str, Any]) -> Iterator[str]:
    for name, pattern, what in (
        ("project", PROJECT, "a project's id, such as my-project"),
        ("region", REGION, "a region, such as us-central1"),
        ("temp_location", GCS_PATH, "a folder in gs://, such as gs://my-bucket/tmp"),
    ):
        value = given[name]
        if not value:
            yield f"expected {what}, got none. Add -- --{name}=..."
        elif not re.fullmatch(pattern, str(value)):
            yield f"--{name}: expected {what}, got {value!r}."
    staging = given["staging_location"]
    if staging and not re.fullmatch(GCS_PATH, staging):
        yield f"--staging_location: expected a folder in gs://, got {staging!r}."
    job_name = given["job_name"]
    if job_name and not re.fullmatch(JOB_NAME, job_name):
        yield (
            "--job_name: expected at most 63 lower-case letters, digits and '-', the first a "
            f"letter, got {job_name!r}."
        )
    for label in given["labels"] or ():
        if not re.fullmatch(LABEL, label):
            yield f"--labels: expected key=value in lower case, got {label!r}."
    if given["template_location"]:
        yield (
            "--template_location: expected none, because a command may run several jobs and "
            "publishes when they are done, which a template cannot do. Leave the flag out; to "
            "schedule the command see configs/schedule/cloud_scheduler.sh."
        )
    if given["streaming"]:
        yield "--streaming: expected a batch job, got a streaming one. Leave the flag out."


def _problems_of_paths(given: Mapping[str, Any], paths: Mapping[str, str]) -> Iterator[str]:
    for name, path in paths.items():
        if "://" not in path:
            yield f"{name}: expected a path that workers can reach, such as gs://..., got {path!r}."
    setup_file = given["setup_file"]
    if setup_file:
        if not Path(setup_file).is_file():
            yield f"--setup_file: expected this project's ./setup.py, got no file {setup_file!r}."
        if Path(setup_file).name != "setup.py" or "/" not in setup_file:
            yield f"--setup_file: expected a path such as ./setup.py, got {setup_file!r}."
    elif not given["sdk_container_image"]:
        yield (
            "expected code for the workers, got neither --setup_file=./setup.py nor "
            "--sdk_container_image=... Use one; see configs/dataflow/Dockerfile."
        )


def _problems_of_workers(given: Mapping[str, Any]) -> Iterator[str]:
    workers, most = given["num_workers"], given["max_num_workers"]
    for name, number in (("num_workers", workers), ("max_num_workers", most)):
        if number is not None and number < 1:
            yield f"--{name}: expected at least 1 worker, got {number}."
    if workers and most and workers > most:
        yield f"--num_workers: expected at most --max_num_workers={most}, got {workers}."
    disk = given["disk_size_gb"]
    if disk is not None and disk < MIN_DISK_GB:
        yield f"--disk_size_gb: expected at least {MIN_DISK_GB} for the image, got {disk}."


def _problems_of_training(given: Mapping[str, Any], training: TrainingConfig) -> Iterator[str]:
    accelerator = training.resources.accelerator
    where = "training.resources.accelerator"
    services = [
        str(each)
        for name in ("dataflow_service_options", "experiments")
        for each in given[name] or ()
    ]
    if any(each.startswith("worker_accelerator") for each in services):
        yield (
            "worker_accelerator: expected accelerators on the training step alone, got them on "
            f"every worker. Set {where} in their place."
        )
    if training.gpu == "required" and accelerator is None:
        yield (
            f"{where}: expected an accelerator, because training.gpu is required, got none. "
            "Use --runner-profile dataflow_gpu, or --set training.gpu=optional."
        )
    if given["element_processing_timeout_minutes"]:
        yield (
            "--element_processing_timeout_minutes: expected none, because a trial is one element "
            "and trains for hours. Leave the flag out."
        )
    if accelerator is None:
        return
    machine = given["machine_type"]
    if any(name in accelerator for name in ON_N1) and not (machine or "").startswith("n1-"):
        yield f"--machine_type: expected an n1 machine for {accelerator!r}, got {machine!r}."
    if ONE_PROCESS not in services or given["number_of_worker_harness_threads"] != 1:
        yield (
            "expected one training at a time on a GPU, got several. Add "
            f"--experiments={ONE_PROCESS} --number_of_worker_harness_threads=1, "
            "or use --runner-profile dataflow_gpu."
        )
