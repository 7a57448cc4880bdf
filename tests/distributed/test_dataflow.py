"""Jobs submitted to a fake of Dataflow, which executes them in a clean environment."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from tests.distributed import engines, google_fake
from tests.distributed.clean_python import CleanPython, make_clean_python
from tests.distributed.google_fake import PROJECT, REGION, Google
from tests.distributed.jobs import (
    DATE,
    TOLERANCE,
    Job,
    assert_same_predictions,
    read_predictions,
)

pytestmark = [pytest.mark.distributed, pytest.mark.slow]

LAUNCHER = engines.PROJECT / "configs/dataflow/flex_template.py"
IMAGE = "us-docker.pkg.dev/my-project/limelight/cpu:0.1.0"
T4 = "type:nvidia-tesla-t4;count:1;install-nvidia-driver"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ran:
    """What was submitted, and its results.

    Attributes:
        google: the fake, with every job and object.
        predictions: the rows that were published.
        metrics: the metrics of `evaluate`.
    """

    google: Google
    predictions: list[dict[str, Any]]
    metrics: dict[str, Any]

    def job(self, step: str) -> dict[str, Any]:
        """The JSON of the job whose name ends with a step's."""
        [job] = [job for job in self.google.jobs if job["name"].endswith(f"-{step}")]
        return job

    def pipeline(self, step: str) -> beam_runner_api_pb2.Pipeline:
        """The pipeline that was staged for a job."""
        proto: beam_runner_api_pb2.Pipeline = beam_runner_api_pb2.Pipeline.FromString(
            staged(self.google, self.job(step))
        )
        return proto


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory: pytest.TempPathFactory) -> CleanPython:
    return make_clean_python(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, clean_python: CleanPython, corpus: str
) -> Iterator[Ran]:
    """Prepares and trains with the profile for GPUs, scores and evaluates with the other, on gs://."""
    folder = tmp_path_factory.mktemp("dataflow")
    with google_fake.serving() as google, pytest.MonkeyPatch.context() as patch:
        given = google_fake.environment(google, folder)
        for name, value in given.items():
            patch.setenv(name, value)

        def execute(job: dict[str, Any]) -> None:
            clean_python.install(sdist(google, job))
            clean_python.run_staged(staged(google, job), name=job["name"], environment=given)

        google.execute = execute
        google.put_folder(Path(corpus), to="gs://bucket/corpus")
        job = Job(
            corpus="gs://bucket/corpus",
            folder="gs://bucket/limelight",
            beam_options=(
                f"--project={PROJECT}",
                f"--region={REGION}",
                "--temp_location=gs://bucket/tmp",
                f"--dataflow_endpoint={google.url}",
                f"--sdk_container_image={IMAGE}",
                "--setup_file=./setup.py",
            ),
        )
        # The test machine has no GPU; the resource hints are still those of the profile.
        job.train(
            job.configure(folder), "--runner-profile=dataflow_gpu", "--set=training.gpu=optional"
        )
        job.score("--runner-profile=dataflow")
        metrics = job.evaluate(folder, "--runner-profile=dataflow")
        google.get_folder(job.predictions, to=folder / "predictions")
        predictions = read_predictions(folder / "predictions")
        yield Ran(google=google, predictions=predictions, metrics=metrics)


def staged(google: Google, job: dict[str, Any]) -> bytes:
    """The pipeline proto that a job names."""
    url = job["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
    return google.objects[url.removeprefix("gs://")]


def sdist(google: Google, job: dict[str, Any]) -> bytes:
    """The source distribution that a job's workers install."""
    [location] = [
        package["location"]
        for pool in job["environment"]["workerPools"]
        for package in pool["packages"]
        if package["name"].startswith("workflow")
    ]
    return google.objects[location.split("/", 1)[1]]


def hinted(pipeline: beam_runner_api_pb2.Pipeline) -> dict[str, dict[str, str]]:
    """The steps with resource hints of their own: name -> hint -> value."""
    hints: dict[str, dict[str, str]] = {}
    for transform in pipeline.components.transforms.values():
        environment = pipeline.components.environments.get(transform.environment_id)
        for urn, value in dict(environment.resource_hints if environment else {}).items():
            hints.setdefault(transform.unique_name, {})[urn.split(":")[-2]] = value.decode()
    return hints


def test_the_staged_jobs_predict_what_the_local_run_predicts(
    ran: Ran, expected: list[dict[str, Any]], expected_metrics: dict[str, Any]
) -> None:
    assert_same_predictions(ran.predictions, expected)
    assert ran.metrics["accuracy"] == expected_metrics["accuracy"]
    assert ran.metrics["loss"] == pytest.approx(expected_metrics["loss"], abs=TOLERANCE)


def test_a_scoring_job_asks_for_the_machines_of_its_profile(ran: Ran) -> None:
    job = ran.job("score")
    assert job["name"] == f"limelight-score-demo-1-{DATE}-score"
    assert job["labels"]["app"] == "limelight"
    assert job["environment"]["tempStoragePrefix"].startswith("storage.googleapis.com/bucket/tmp")
    [pool] = job["environment"]["workerPools"]
    assert pool["machineType"] == "n2-standard-4"
    assert pool["diskSizeGb"] == 50
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 50
    images = {image["containerImage"] for image in pool["sdkHarnessContainerImages"]}
    assert images == {IMAGE}
    options = job["environment"]["sdkPipelineOptions"]["options"]
    assert options["project"] == PROJECT
    assert options["region"] == REGION
    assert hinted(ran.pipeline("score")) == {}


def test_only_the_training_step_asks_for_the_accelerator(ran: Ran) -> None:
    wanted = {"accelerator": T4, "min_ram_bytes": "25000000000"}
    assert hinted(ran.pipeline("train")) == {"Train/Train": wanted}
    for step in ("survey", "encode"):
        assert hinted(ran.pipeline(step)) == {}
    job = ran.job("train")
    [pool] = job["environment"]["workerPools"]
    assert pool["machineType"] == "n1-standard-8"
    assert "no_use_multiple_sdk_containers" in job["environment"]["experiments"]


def test_nothing_is_left_in_staging(ran: Ran) -> None:
    left = [name for name in ran.google.objects if name.startswith("bucket/limelight/")]
    assert any("/models/demo/1/" in name for name in left)
    assert not [name for name in left if "/staging/" in name or "/leases/" in name]


def test_the_image_with_gpus_adds_cuda(tmp_path: Path, clean_python: CleanPython) -> None:
    report = tmp_path / "report.json"
    clean_python.run_commands("gpu", "--dry-run", f"--report={report}")
    added = {item["metadata"]["name"] for item in json.loads(report.read_text())["install"]}
    assert added >= {"limelight", "nvidia-cudnn-cu12", "nvidia-cuda-runtime-cu12"}


def test_a_launched_template_scores_and_publishes(
    tmp_path: Path, ran: Ran, clean_python: CleanPython, expected: list[dict[str, Any]]
) -> None:
    google = ran.google
    submitted = len(google.jobs)
    described = "gs://bucket/staging/template_launches/1/job_object"
    parameters = {
        "model": "gs://bucket/limelight/models/demo/1",
        "input": "gs://bucket/corpus/{date}/*.jsonl",
        "output": "gs://bucket/nightly",
        "date": DATE,
    }
    for name, content in list(google.objects.items()):
        google.objects[name.replace("corpus/tonight", f"corpus/{DATE}")] = content
    flags = {
        "runner": "DataflowRunner",
        "project": PROJECT,
        "region": REGION,
        "job_name": "limelight-score",
        "temp_location": "gs://bucket/tmp",
        "template_location": described,
        "dataflow_endpoint": google.url,
    }
    words = [f"--{name}={value}" for name, value in {**parameters, **flags}.items()]
    subprocess.run(
        [sys.executable, LAUNCHER, *words],
        env=engines.worker_environment() | {"LIMELIGHT_IMAGE": IMAGE},
        check=True,
    )
    assert len(google.jobs) == submitted, "a launcher only describes the job"
    job = json.loads(google.objects[described.removeprefix("gs://")])
    [pool] = job["environment"]["workerPools"]
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 1
    assert {image["containerImage"] for image in pool["sdkHarnessContainerImages"]} == {IMAGE}
    clean_python.run_staged(
        staged(google, job), name="template", environment=google_fake.environment(google, tmp_path)
    )
    google.get_folder(f"gs://bucket/nightly/predictions/dt={DATE}", to=tmp_path / "predictions")
    assert_same_predictions(read_predictions(tmp_path / "predictions"), expected)
