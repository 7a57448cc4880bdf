"""A worker is killed with SIGKILL during a job: the job ends, and a rerun completes it."""

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

pytestmark = [pytest.mark.distributed, pytest.mark.slow]

SECONDS = 120.0  # for a worker to get so far
PATIENCE = 30.0  # then the test stops a command that waits forever, as a scheduler would
STOPPED = 130


@contextlib.contextmanager
def portable(folder: Path) -> Iterator[tuple[list[str], WorkerPool]]:
    with engines.job_service(folder) as address, engines.worker_pool(folder) as pool:
        yield ["--runner=PortableRunner", f"--job_endpoint={address}", *pool.options], pool


@contextlib.contextmanager
def prism(folder: Path) -> Iterator[tuple[list[str], WorkerPool]]:
    with engines.worker_pool(folder) as pool:
        binary = f"--prism_location={engines.prism_binary()}"
        yield ["--runner=PrismRunner", binary, *pool.options], pool


@contextlib.contextmanager
def flink(folder: Path) -> Iterator[tuple[list[str], WorkerPool]]:
    with engines.flink_job_server(folder) as address, engines.worker_pool(folder) as pool:
        cluster = [f"--job_endpoint={address}", "--parallelism=2"]
        yield ["--runner=FlinkRunner", *cluster, *pool.options], pool


def starting(pid: int, job: Job) -> bool:
    """Any worker, as soon as it exists."""
    return True


def scoring(pid: int, job: Job) -> bool:
    """A worker that has loaded what only scoring needs, after the job has written a file."""
    with contextlib.suppress(OSError):
        written = any((Path(job.folder) / "out/runs").glob("*/staging/**/*.parquet"))
        return written and "llvmlite" in Path(f"/proc/{pid}/maps").read_text()
    return False


def score_and_kill(
    job: Job, pool: WorkerPool, when: Callable[[int, Job], bool], *, log: Path
) -> tuple[int, str]:
    """Runs `score` and kills the first worker that qualifies; returns exit code and errors."""
    command = [sys.executable, "-m", "pipeline", "score", *job.scoring(), "--", *job.beam_options]
    deadline = time.monotonic() + SECONDS
    of_earlier_jobs = set(pool.workers())
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=sink, stderr=sink)
        victims: list[int] = []
        while not victims:
            assert process.poll() is None, "the job ended before a worker was killed"
            assert time.monotonic() < deadline, "no worker got so far"
            time.sleep(0.02)
            victims = [pid for pid in set(pool.workers()) - of_earlier_jobs if when(pid, job)]
        os.kill(victims[0], signal.SIGKILL)
        assert process.poll() is None, "the job ended before a worker was killed"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        if process.poll() is None:
            process.terminate()
        code = process.wait(PATIENCE)
    return code, log.read_text(errors="replace")


@pytest.mark.parametrize(
    ("engine", "codes"),
    [
        (prism, {0, 1}),
        (flink, {0, 1}),
        # Beam's job service may lose track of a worker and wait forever; the signal ends it.
        (portable, {0, 1, STOPPED}),
    ],
)
def test_after_a_killed_worker_a_rerun_is_enough(
    engine: Any, codes: set[int], tmp_path: Path, reference: Job, expected: list[dict[str, Any]]
) -> None:
    with engine(tmp_path / "engine") as (options, pool):
        for when in (starting, scoring):
            folder = tmp_path / when.__name__
            job = Job(
                corpus=reference.corpus,
                folder=str(folder),
                beam_options=tuple(options),
                trained=reference.model,
            )
            log = tmp_path / f"{when.__name__}.log"
            code, printed = score_and_kill(job, pool, when, log=log)
            # A worker that had not connected yet is replaced, and the job succeeds.
            assert code in ({0} if when is starting else codes), printed
            assert (Path(job.predictions) / "_SUCCESS").exists() == (code == 0)
            if code:
                assert printed.splitlines()[-1].startswith("error: "), printed
                assert "Traceback" not in printed
                job.score()
            assert_same_predictions(read_predictions(job.predictions), expected)
            staged = (folder / "out").rglob("staging/**/*")
            assert not [path for path in staged if path.is_file()]
            assert not list((folder / "out/leases").glob("*"))
