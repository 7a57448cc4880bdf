"""Prepare, train, score and evaluate on every engine give what the FnApiRunner gives."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.distributed import engines
from tests.distributed.jobs import (
    TOLERANCE,
    Job,
    assert_same_predictions,
    read_predictions,
)

pytestmark = pytest.mark.distributed


@contextlib.contextmanager
def portable_loopback(folder: Path) -> Iterator[list[str]]:
    with engines.job_service(folder) as address:
        yield [
            "--runner=PortableRunner",
            f"--job_endpoint={address}",
            "--environment_type=LOOPBACK",
        ]


@contextlib.contextmanager
def portable_external(folder: Path) -> Iterator[list[str]]:
    with engines.job_service(folder) as address, engines.worker_pool(folder) as pool:
        yield ["--runner=PortableRunner", f"--job_endpoint={address}", *pool.options]


@contextlib.contextmanager
def prism(folder: Path) -> Iterator[list[str]]:
    yield ["--runner=PrismRunner", f"--prism_location={engines.prism_binary()}"]


@contextlib.contextmanager
def flink(folder: Path) -> Iterator[list[str]]:
    with engines.flink_job_server(folder) as address, engines.worker_pool(folder) as pool:
        cluster = [f"--job_endpoint={address}", "--parallelism=2"]
        yield ["--runner=FlinkRunner", *cluster, *pool.options]


@contextlib.contextmanager
def spark(folder: Path) -> Iterator[list[str]]:
    with engines.spark_job_server(folder) as address, engines.worker_pool(folder) as pool:
        yield ["--runner=SparkRunner", f"--job_endpoint={address}", *pool.options]


@pytest.mark.parametrize("engine", [portable_loopback, portable_external, prism, flink, spark])
def test_an_engine_predicts_what_the_fn_api_runner_predicts(
    engine: Any,
    tmp_path: Path,
    corpus: str,
    expected: list[dict[str, Any]],
    expected_metrics: dict[str, Any],
) -> None:
    with engine(tmp_path / "engine") as options:
        job = Job(corpus=corpus, folder=str(tmp_path), beam_options=tuple(options))
        job.train(job.configure(tmp_path))
        job.score()
        metrics = job.evaluate(tmp_path)
    assert_same_predictions(read_predictions(tmp_path / "out/predictions/dt=2026-11-20"), expected)
    assert metrics["accuracy"] == expected_metrics["accuracy"]
    assert metrics["loss"] == pytest.approx(expected_metrics["loss"], abs=TOLERANCE)
