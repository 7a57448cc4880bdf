"""Runs a pipeline that was submitted to Dataflow: `python run_staged.py pipeline.pb`.

The Python that runs it has only the packages of the workers' image and the staged package, and its
working folder is not this checkout. So the workers import what workers of Dataflow would.
"""

import sys

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


def main() -> None:
    """Replaces the pipeline's containers by processes of this Python, and runs it."""
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
