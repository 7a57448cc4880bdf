"""A supervised worker is started again if a signal ended it, and only then."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUPERVISE = (
    "import sys; from pipeline.runners.worker import supervise; sys.exit(supervise(sys.argv[1:]))"
)


def start(script: str, counter: Path) -> subprocess.Popen[str]:
    """Supervises a shell script; every start of it leaves a line in the counter."""
    script = f"echo $$ >> {counter}; {script}"
    command = [sys.executable, "-c", SUPERVISE, "/bin/sh", "-c", script]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("script", "code", "starts"),
    [
        ("exit 0", 0, 1),
        ("exit 3", 3, 1),
        ("[ $(wc -l < COUNTER) = 2 ] || kill -9 $$", 0, 2),
        ("kill -9 $$", 128 + signal.SIGKILL, 3),
    ],
)
def test_only_a_signal_is_a_reason_to_start_again(
    tmp_path: Path, script: str, code: int, starts: int
) -> None:
    counter = tmp_path / "starts"
    process = start(script.replace("COUNTER", str(counter)), counter)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == code
    assert len(counter.read_text().split()) == starts
    killed = starts - 1 if code == 0 else starts if code > 128 else 0
    assert printed.count("signal 9 ended a worker") == killed


def test_sigterm_ends_the_supervisor_and_the_worker(tmp_path: Path) -> None:
    counter = tmp_path / "starts"
    process = start("exec sleep 60", counter)
    deadline = time.monotonic() + 30
    while not (counter.exists() and counter.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    worker = int(counter.read_text())
    while is_running(worker):
        assert time.monotonic() < deadline, "the worker outlives its supervisor"
        time.sleep(0.02)


STOPPED_WHILE_STARTING = """
import os, pathlib, signal, subprocess, sys, time
from pipeline.runners.worker import supervise

start = subprocess.Popen

def start_and_stop(*words, **options):
    child = start(*words, **options)
    while not pathlib.Path(sys.argv[1]).read_text():
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)
    return child

subprocess.Popen = start_and_stop
supervise(["/bin/sh", "-c", f"echo $$ > {sys.argv[1]}; exec sleep 60"])
"""


def test_a_worker_that_is_being_started_ends_too(tmp_path: Path) -> None:
    counter = tmp_path / "started"
    counter.touch()
    done = subprocess.run([sys.executable, "-c", STOPPED_WHILE_STARTING, counter], timeout=50)
    assert done.returncode == 128 + signal.SIGTERM
    deadline = time.monotonic() + 30
    while is_running(int(counter.read_text())):
        assert time.monotonic() < deadline, "the worker outlives its supervisor"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
