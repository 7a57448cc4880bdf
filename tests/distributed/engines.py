"""Real engines on loopback: fetched once, started for a test, and stopped with their children.

Downloads are kept in `.engines/` at the root of the project, which git ignores: the job
servers of Flink and Spark come from Maven by their coordinates, Prism from `go install`.
Engines run in processes of their own. So do workers, unless a test asks for LOOPBACK.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import pytest

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".engines"
PRISM = "github.com/apache/beam/sdks/v2/go/cmd/prism"

# Maven coordinates, `group:artifact:version`. With their dependencies they are a job server and,
# for Flink, the cluster too. Their Beam release differs from the SDK's on purpose: that tests the
# portable protocol harder.
JARS = {
    "flink": (
        "org.apache.beam:beam-runners-flink-1.19:2.62.0",
        "org.slf4j:slf4j-simple:1.7.30",
    ),
    "spark": (
        "org.apache.beam:beam-runners-spark-3:2.62.0",
        "org.apache.spark:spark-sql_2.12:3.2.2",
        "org.apache.spark:spark-streaming_2.12:3.2.2",
    ),
}
# For jobs of a few seconds the JVM's second compiler takes more time than it saves.
JAVA = ("java", "-Xmx768m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Flink and Spark need these options on a Java later than 8.
OPENS = ("java.lang", "java.lang.invoke", "java.net", "java.nio", "java.util", "sun.nio.ch")

START_SECONDS = 120.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Process:
    """A process that a test started, and the log of what it prints."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, pattern: str) -> str:
        """Waits until the log has a line with the pattern and returns the first group."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log.read_text(errors="replace"))
            if found:
                return found[1] if found.groups() else found[0]
            if self.popen.poll() is not None:
                break
            time.sleep(0.1)
        tail = self.log.read_text(errors="replace")[-2_000:]
        raise AssertionError(f"{self.name}: expected {pattern!r} in its log, got: {tail}")


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, process: Process) -> None:
    """Waits until something listens on a port of loopback."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.popen.poll() is None, process.log.read_text(errors="replace")[-2_000:]
        time.sleep(0.1)
    raise AssertionError(f"{process.name}: nothing listens at port {port}")


@contextlib.contextmanager
def started(
    name: str, command: Sequence[str | Path], *, folder: Path, environment: dict[str, str]
) -> Iterator[Process]:
    """Runs a process in a group of its own and kills the whole group at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}-{free_port()}.log"
    with log.open("wb") as sink:
        popen = subprocess.Popen(
            [str(word) for word in command],
            cwd=PROJECT,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Process(name=name, popen=popen, log=log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()


def worker_environment() -> dict[str, str]:
    """The environment of a worker: `python` is this interpreter, and imports find this checkout."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerPool:
    """A pool that starts a worker process each time an engine asks for one."""

    address: str
    pid: int

    @property
    def options(self) -> list[str]:
        """Beam's flags for workers from this pool."""
        return [
            "--environment_type=EXTERNAL",
            f"--environment_config={self.address}",
            "--environment_cache_millis=600000",
        ]

    def workers(self) -> list[int]:
        """The processes that run Beam's worker now."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended in the meantime
                parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        supervisors = {pid for pid, parent in parents.items() if parent == self.pid}
        return sorted(pid for pid, parent in parents.items() if parent in supervisors)


@contextlib.contextmanager
def worker_pool(folder: Path) -> Iterator[WorkerPool]:
    """Starts a pool that replaces workers that are killed."""
    port = free_port()
    executable = folder / "limelight-worker"
    folder.mkdir(parents=True, exist_ok=True)
    executable.write_text(f'#!/bin/sh\nexec {sys.executable} -m pipeline.runners.worker "$@"\n')
    executable.chmod(0o755)
    flags = (f"--service_port={port}", f"--container_executable={executable}")
    module = "apache_beam.runners.worker.worker_pool_main"
    with _beam_service(module, *flags, port=port, folder=folder) as process:
        yield WorkerPool(address=f"localhost:{port}", pid=process.popen.pid)


@contextlib.contextmanager
def job_service(folder: Path) -> Iterator[str]:
    """Beam's own portable job service in a process of its own; yields its address."""
    port = free_port()
    flags = (f"--job_port={port}", f"--staging_dir={folder / 'staged'}")
    module = "apache_beam.runners.portability.local_job_service_main"
    with _beam_service(module, *flags, port=port, folder=folder):
        yield f"localhost:{port}"


@contextlib.contextmanager
def _beam_service(module: str, *flags: str, port: int, folder: Path) -> Iterator[Process]:
    """Starts a module of Beam and waits until it listens on the port."""
    command = [sys.executable, "-m", module, *flags]
    name = module.rpartition(".")[2]
    with started(name, command, folder=folder, environment=worker_environment()) as process:
        wait_for_port(port, process=process)
        yield process


@contextlib.contextmanager
def flink_job_server(folder: Path, *, task_managers: int = 2) -> Iterator[str]:
    """A job server in front of a Flink session cluster; yields the job server's address."""
    with flink_cluster(folder, task_managers=task_managers) as master:
        main_class = "org.apache.beam.runners.flink.FlinkJobServerDriver"
        flags = ("--flink-master", master)
        with _job_server("flink", main_class, flags, folder=folder) as address:
            yield address


@contextlib.contextmanager
def spark_job_server(folder: Path) -> Iterator[str]:
    """Spark with two cores, inside its job server; yields the job server's address."""
    main_class = "org.apache.beam.runners.spark.SparkJobServerDriver"
    flags = ("--spark-master-url", "local[2]")
    with _job_server("spark", main_class, flags, folder=folder) as address:
        yield address


@contextlib.contextmanager
def flink_cluster(folder: Path, *, task_managers: int) -> Iterator[str]:
    """A Flink session cluster: a job manager and task managers, each a JVM of its own.

    Yields the address of its REST service.
    """
    rest, rpc = free_port(), free_port()
    settings = {
        "jobmanager.rpc.address": "localhost",
        "jobmanager.rpc.port": rpc,
        "rest.address": "localhost",
        "rest.port": rest,
        "taskmanager.host": "localhost",
        "taskmanager.numberOfTaskSlots": 1,  # so that two tasks at a time run in two JVMs
        "taskmanager.cpu.cores": 1,
        # Flink's shell scripts would calculate these.
        "taskmanager.memory.framework.heap.size": "128m",
        "taskmanager.memory.framework.off-heap.size": "128m",
        "taskmanager.memory.task.heap.size": "256m",
        "taskmanager.memory.task.off-heap.size": "128m",
        "taskmanager.memory.managed.size": "128m",
        "taskmanager.memory.network.min": "128m",
        "taskmanager.memory.network.max": "128m",
        "taskmanager.memory.jvm-metaspace.size": "256m",
        "taskmanager.memory.jvm-overhead.min": "192m",
        "taskmanager.memory.jvm-overhead.max": "192m",
        "classloader.resolve-order": "parent-first",
        # Milliseconds. It is long, so that a worker on a busy machine does not count as dead.
        "heartbeat.timeout": 120_000,
        "io.tmp.dirs": folder / "tmp",
    }
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{key}: {value}\n" for key, value in settings.items())
    (folder / "config.yaml").write_text(lines, encoding="utf-8")
    runtime = "org.apache.flink.runtime"
    flags = ("--configDir", str(folder))
    manager_class = f"{runtime}.entrypoint.StandaloneSessionClusterEntrypoint"
    with contextlib.ExitStack() as stack:
        manager = stack.enter_context(_java("flink", manager_class, flags, folder=folder))
        workers = [
            stack.enter_context(
                _java("flink", f"{runtime}.taskexecutor.TaskManagerRunner", flags, folder=folder)
            )
            for _ in range(task_managers)
        ]
        wait_for_port(rest, process=manager)
        for worker in workers:
            worker.wait_for("Successful registration at resource manager")
        yield f"localhost:{rest}"


@contextlib.contextmanager
def _job_server(
    engine: str, main_class: str, flags: Sequence[str], *, folder: Path
) -> Iterator[str]:
    port = free_port()
    ports = ("--job-port", str(port), "--artifact-port", "0", "--expansion-port", "0")
    artifacts = ("--artifacts-dir", str(folder / "artifacts"))
    with _java(engine, main_class, (*flags, *ports, *artifacts), folder=folder) as process:
        wait_for_port(port, process=process)
        yield f"localhost:{port}"


def _java(
    engine: str, main_class: str, flags: Sequence[str], *, folder: Path
) -> contextlib.AbstractContextManager[Process]:
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENS]
    classes = ["-cp", f"{fetch_jars(engine)}/*", main_class]
    name = main_class.rsplit(".", 1)[-1]
    command = [*JAVA, *opens, *classes, *flags]
    return started(name, command, folder=folder, environment=dict(os.environ))


def fetch_jars(engine: str) -> Path:
    """The folder of an engine's jars; skips the test where Java or Maven is missing."""
    folder = CACHE / engine
    for program in ("java", "mvn"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if not folder.is_dir():
        project = CACHE / f"{engine}.xml"
        CACHE.mkdir(exist_ok=True)
        project.write_text(_maven_project(engine), encoding="utf-8")
        partial = CACHE / f"{engine}.partial"
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        _fetch(["mvn", "-B", "-q", "-f", project, *goal, f"-DoutputDirectory={partial}"])
        partial.rename(folder)
    return folder


def _maven_project(engine: str) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>"
        for group, artifact, version in (each.split(":") for each in JARS[engine])
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>limelight</groupId>"
        f"<artifactId>{engine}</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def prism_binary() -> Path:
    """Prism, compiled by `go install`; skips the test where there is no Go."""
    binary = CACHE / "prism"
    if not binary.is_file():
        if not shutil.which("go"):
            pytest.skip("go is not installed")
        CACHE.mkdir(exist_ok=True)
        _fetch(["go", "install", f"{PRISM}@v{beam.__version__}"])
    return binary


def _fetch(command: Sequence[str | Path]) -> None:
    environment = {**os.environ, "GOBIN": str(CACHE)}
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=1_200)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2_000:]
