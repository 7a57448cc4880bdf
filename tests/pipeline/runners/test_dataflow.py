"""Flags that would fail on Dataflow are refused in one line, before any request is sent."""

import json
import re
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from model.config import ConfigError
from pipeline.cli.app import run_command
from pipeline.runners.options import check_runner

PROJECT = Path(__file__).resolve().parents[3]
CLOUD = {
    "--project": "my-project",
    "--region": "us-central1",
    "--temp_location": "gs://bucket/tmp",
    "--sdk_container_image": "us-docker.pkg.dev/my-project/limelight/gpu:1",
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a request was sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(PROJECT)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "imdb.yaml"
    values = {
        "workspace": "gs://bucket/limelight",
        "corpus": {"inputs": [{"path": "gs://bucket/imdb/*.jsonl"}]},
    }
    path.write_text(json.dumps(values), encoding="utf-8")
    return str(path)


def words(*, profile: str | None = "dataflow_gpu", **flags: str | None) -> list[str]:
    """A profile and the flags of the cloud. `flags` changes them; None leaves one out."""
    named = {**CLOUD, **{f"--{name}": value for name, value in flags.items()}}
    given = [f"{name}={value}" for name, value in named.items() if value is not None]
    return [*(["--runner-profile", profile] if profile else []), "--", *given]


def refused(*arguments: str) -> str:
    with pytest.raises(ConfigError) as raised:
        run_command(arguments)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith("DataflowRunner: ")
    return message


WRONG_FLAGS = [
    ({"project": None}, "expected a project's id, such as my-project, got none"),
    ({"project": "123456"}, "--project: expected a project's id, such as my-project, got '123456'"),
    ({"region": None}, "expected a region, such as us-central1, got none"),
    ({"region": "us-central1-a"}, "--region: expected a region"),
    ({"temp_location": None}, "expected a folder in gs://, such as gs://my-bucket/tmp, got none"),
    ({"temp_location": "here/x"}, "--temp_location: expected a folder in gs://"),
    ({"temp_location": "gs://bucket"}, "--temp_location: expected a folder in gs://"),
    ({"staging_location": "s3://bucket/x"}, "--staging_location: expected a folder in gs://"),
    ({"num_workers": "0"}, "--num_workers: expected at least 1 worker, got 0"),
    ({"max_num_workers": "0"}, "--max_num_workers: expected at least 1 worker, got 0"),
    ({"num_workers": "20"}, "--num_workers: expected at most --max_num_workers=10, got 20"),
    ({"template_location": "gs://bucket/t"}, "--template_location: expected none"),
    ({"job_name": "My Job"}, "--job_name: expected at most 63 lower-case letters"),
    ({"labels": "Team=NLP"}, "--labels: expected key=value in lower case, got 'Team=NLP'"),
    ({"disk_size_gb": "10"}, "--disk_size_gb: expected at least 30"),
    ({"machine_type": "n2-standard-8"}, "--machine_type: expected an n1 machine"),
    ({"sdk_container_image": None}, "expected code for the workers, got neither"),
    ({"setup_file": "./no/setup.py"}, "--setup_file: expected this project's ./setup.py"),
    ({"setup_file": "setup.py"}, "--setup_file: expected a path such as ./setup.py"),
    ({"number_of_worker_harness_threads": "12"}, "expected one training at a time on a GPU"),
    ({"element_processing_timeout_minutes": "60"}, "--element_processing_timeout_minutes"),
    (
        {"dataflow_service_options": "worker_accelerator=type:nvidia-tesla-t4;count:1"},
        "worker_accelerator: expected accelerators on the training step alone",
    ),
]


@pytest.mark.parametrize(("flags", "problem"), WRONG_FLAGS)
def test_a_wrong_flag(config: str, flags: dict[str, str | None], problem: str) -> None:
    assert problem in refused("train", "--config", config, *words(**flags))


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("workspace=runs", "workspace: expected a path that workers can reach"),
        ("corpus.inputs=[{path: imdb.jsonl}]", "corpus.inputs: expected a path that workers"),
        (
            "corpus.inputs=[{path: 'gs://b/a.jsonl'}, {path: b.jsonl}]",
            "corpus.inputs 2: expected a path that workers can reach, such as gs://..., got 'b.",
        ),
        ("network.embedding.vectors=glove.txt", "network.embedding.vectors: expected a path"),
        ("training.resources.accelerator=null", "because training.gpu is required, got none"),
    ],
)
def test_a_wrong_config(config: str, override: str, problem: str) -> None:
    assert problem in refused("train", "--config", config, "--set", override, *words())


@pytest.mark.parametrize(
    ("flag", "value"), [("--model", "runs/1"), ("--input", "x.jsonl"), ("--output", "out")]
)
def test_a_local_path_of_a_scoring_run(flag: str, value: str) -> None:
    flags = {
        "--model": "gs://bucket/models/demo/1",
        "--input": "gs://bucket/x.jsonl",
        "--output": "gs://bucket/out",
        flag: value,
    }
    named = [word for pair in flags.items() for word in pair]
    message = refused("score", *named, *words(profile="dataflow"))
    assert f"{flag}: expected a path that workers can reach, such as gs://..." in message


@pytest.mark.parametrize(
    ("flag", "value"), [("--old", "runs/1"), ("--new", "runs/2"), ("--output", "out")]
)
def test_a_local_path_of_a_comparison(flag: str, value: str) -> None:
    flags = {
        "--old": "gs://bucket/models/demo/1",
        "--new": "gs://bucket/models/demo/2",
        "--input": "gs://bucket/x.jsonl",
        "--output": "gs://bucket/out",
        flag: value,
    }
    named = [word for pair in flags.items() for word in pair]
    message = refused("compare", *named, *words(profile="dataflow"))
    assert f"{flag}: expected a path that workers can reach, such as gs://..." in message


def test_a_streaming_job(config: str) -> None:
    assert "--streaming" in refused("prepare", "--config", config, *words(), "--streaming")


def test_an_unknown_flag_is_refused_by_name(config: str) -> None:
    with pytest.raises(ConfigError, match=re.escape("did you mean --disk_size_gb?")):
        run_command(["train", "--config", config, *words(disk_size_gbs="30")])


def test_the_checks_of_gpus_are_for_training_only() -> None:
    flags = words(profile=None, machine_type="n2-standard-8")[1:]
    check_runner(["--runner=DataflowRunner", *flags], paths={}, training=None)
