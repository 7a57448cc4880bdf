"""Runs a pipeline as Dataflow was given it: `python run_staged.py pipeline.pb`.

Run by the Python of an environment in which nothing but the staged package is installed, from
another folder: what the workers import comes from there.
"""

import sys

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


def main() -> None:
    """Swaps the containers for processes of this Python, and runs."""
    pipeline = beam_runner_api_pb2.Pipeline()
    with open(sys.argv[1], "rb") as stream:
        pipeline.ParseFromString(stream.read())
    worker = f"{sys.executable} -m apache_beam.runners.worker.sdk_worker_main"
    for environment in pipeline.components.environments.values():
        environment.urn = "beam:env:harness_subprocess_python:v1"
        environment.payload = worker.encode()
        del environment.dependencies[:]
    FnApiRunner().run_via_runner_api(pipeline, PipelineOptions([])).wait_until_finish()


if __name__ == "__main__":
    main()
