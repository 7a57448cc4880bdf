"""A worker killed with SIGKILL in mid-job: the job ends, and a rerun makes good what failed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.distributed import engines
from tests.distributed.engines import PROJECT, WorkerPool
from tests.distributed.jobs import Job, assert_same_predictions, read_predictions

pytestmark = pytest.mark.distributed

SECONDS = 180.0  # for a job that takes ten


@contextlib.contextmanager
def portable(folder: Path) -> Iterator[tuple[list[str], WorkerPool]]:
    with engines.job_service(folder) as address, engines.worker_pool(folder) as pool:
        yield ["--runner=PortableRunner", f"--job_endpoint={address}", *pool.options], pool


@contextlib.contextmanager
def flink(folder: Path) -> Iterator[tuple[list[str], WorkerPool]]:
    with engines.flink_job_server(folder) as address, engines.worker_pool(folder) as pool:
        cluster = [f"--job_endpoint={address}", "--parallelism=2"]
        yield ["--runner=FlinkRunner", *cluster, *pool.options], pool


def has_started(_: int) -> bool:
    return True


def scores(pid: int) -> bool:
    """Whether a worker has loaded what only the step that scores needs."""
    with contextlib.suppress(OSError):
        return "llvmlite" in Path(f"/proc/{pid}/maps").read_text()
    return False


def score_and_kill(
    job: Job, pool: WorkerPool, when: Callable[[int], bool], *, log: Path
) -> tuple[int, str]:
    """Runs `score`, kills a worker as soon as it may be; returns the exit code and the errors."""
    command = [sys.executable, "-m", "pipeline", "score", *job.scoring(), "--", *job.beam_options]
    deadline = time.monotonic() + SECONDS
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=sink, stderr=sink)
        victims: list[int] = []
        while not victims:
            assert process.poll() is None, "the job ended before a worker was killed"
            assert time.monotonic() < deadline, "no worker got so far"
            time.sleep(0.02)
            victims = [pid for pid in pool.workers() if when(pid)]
        os.kill(victims[0], signal.SIGKILL)
        assert process.poll() is None, "the job ended before a worker was killed"
        code = process.wait(deadline - time.monotonic())
    return code, log.read_text(errors="replace")


@pytest.mark.parametrize("engine", [portable, flink])
def test_a_killed_worker_costs_a_rerun_at_most(
    engine: Any, tmp_path: Path, reference: Job, expected: list[dict[str, Any]]
) -> None:
    with engine(tmp_path / "engine") as (options, pool):
        for when in (has_started, scores):
            output = tmp_path / when.__name__
            job = Job(
                corpus=reference.corpus,
                folder=str(output),
                beam_options=tuple(options),
                trained=reference.model,
            )
            log = tmp_path / f"{when.__name__}.log"
            code, printed = score_and_kill(job, pool, when, log=log)
            published = Path(job.predictions) / "_SUCCESS"
            assert code in (0, 1), printed
            assert published.exists() == (code == 0)
            if code:
                assert printed.splitlines()[-1].startswith("error: the pipeline failed: "), printed
                assert "Traceback" not in printed
                job.score()
            assert_same_predictions(read_predictions(job.predictions), expected)
            assert not list((output / "out").rglob("staging/*"))
            assert not list((output / "out/leases").glob("*"))
            if when is has_started:
                assert code == 0, "a worker that had not connected is to be replaced"
