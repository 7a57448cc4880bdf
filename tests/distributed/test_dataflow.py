"""Submissions to Dataflow, against a fake that executes what it is given in a clean place."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from tests.distributed import google_fake
from tests.distributed.google_fake import PROJECT, REGION, Google
from tests.distributed.jobs import DATE, Job, assert_same_predictions, read_predictions

# Slow: it installs the image's packages anew, and has not been seen to pass yet.
pytestmark = [pytest.mark.distributed, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "us-docker.pkg.dev/my-project/limelight/cpu:0.1.0"


@pytest.fixture(scope="module")
def staged_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a clean environment, in which the commands of the Dockerfile have run."""
    return run_dockerfile(tmp_path_factory.mktemp("image"))


def run_dockerfile(folder: Path) -> str:
    """Runs what the image is built with in a virtual environment; returns its Python."""
    text = (ROOT / "configs/dataflow/Dockerfile").read_text(encoding="utf-8")
    text = text[: text.index(" AS gpu")].replace("\\\n", " ")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    for line in re.findall(r"^COPY (.+) \S+$", text, re.M):
        for name in line.split():
            source, target = ROOT / name, folder / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    commands = re.findall(r"^RUN (.+)$", text, re.M)
    assert commands
    python = folder / "venv/bin"
    environment = {**clean_environment(), "PATH": f"{python}:{os.environ['PATH']}"}
    for command in commands:
        subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, check=True)
    return str(python / "python")


@pytest.fixture
def google(tmp_path: Path, staged_python: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with google_fake.serving() as google:
        given = google_fake.environment(google, tmp_path)
        for name, value in given.items():
            monkeypatch.setenv(name, value)

        def execute(job: dict[str, Any]) -> None:
            pipeline = tmp_path / f"{job['id']}.pb"
            pipeline.write_bytes(staged(google, job))
            install(google, job, staged_python)
            done = subprocess.run(
                [staged_python, ROOT / "tests/distributed/run_staged.py", pipeline],
                cwd=tmp_path,
                env={**clean_environment(), **given},
                capture_output=True,
                text=True,
            )
            (tmp_path / f"{job['id']}.log").write_text(done.stdout + done.stderr)
            done.check_returncode()

        google.execute = execute
        yield google


def clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def staged(google: Google, job: dict[str, Any]) -> bytes:
    """The pipeline proto that a job names."""
    url = job["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
    return google.objects[url.removeprefix("gs://")]


def install(google: Google, job: dict[str, Any], python: str) -> None:
    """Installs the staged package, as a worker does when it starts."""
    [location] = [
        package["location"]
        for pool in job["environment"]["workerPools"]
        for package in pool["packages"]
        if package["name"].startswith("workflow")
    ]
    sdist = Path(python).parents[2] / "workflow.tar.gz"
    sdist.write_bytes(google.objects[location.split("/", 1)[1]])
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"]
    subprocess.run([*pip, sdist], check=True, env=clean_environment())


def flags(google: Google) -> tuple[str, ...]:
    return (
        f"--project={PROJECT}",
        f"--region={REGION}",
        "--temp_location=gs://bucket/tmp",
        f"--dataflow_endpoint={google.url}",
        f"--sdk_container_image={IMAGE}",
    )


def test_a_submitted_job_runs_from_what_was_staged(
    tmp_path: Path, google: Google, corpus: str, reference: Job, expected: list[dict[str, Any]]
) -> None:
    google.put_folder(Path(corpus), to="gs://bucket/corpus")
    google.put_folder(Path(reference.model), to="gs://bucket/limelight/models/demo/1")
    job = Job(
        corpus="gs://bucket/corpus", folder="gs://bucket/limelight", beam_options=flags(google)
    )
    job.run("score", *job.scoring(), "--runner-profile", "dataflow")
    google.get_folder(job.predictions, to=tmp_path / "predictions")
    assert_same_predictions(read_predictions(tmp_path / "predictions"), expected)
    [submitted] = google.jobs
    assert submitted["name"] == f"limelight-score-demo-1-{DATE}-score"
    assert submitted["labels"]["app"] == "limelight"
    [pool] = submitted["environment"]["workerPools"]
    assert pool["machineType"] == "n2-standard-4"
    assert pool["diskSizeGb"] == 50
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 50
    assert IMAGE in json.dumps(pool)
    assert hints(staged(google, submitted)) == {}


def hints(pipeline: bytes) -> dict[str, list[str]]:
    """The steps with resource hints of their own, by the accelerator that they ask for."""
    proto = beam_runner_api_pb2.Pipeline.FromString(pipeline)
    asked: dict[str, list[str]] = {}
    for transform in proto.components.transforms.values():
        environment = proto.components.environments.get(transform.environment_id)
        for urn, value in dict(environment.resource_hints if environment else {}).items():
            if "accelerator" in urn:
                asked.setdefault(value.decode(), []).append(transform.unique_name)
    return asked
