"""Processes that benchmarks start, and what they took."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, TypeVar

SAMPLE_SECONDS = 0.05

Returned = TypeVar("Returned")


class Usage(NamedTuple):
    """What a process took: wall and CPU seconds, peak bytes of memory."""

    wall: float
    cpu: float
    peak: float


def run_process(command: Sequence[str], *, with_children: bool = False) -> tuple[Usage, str]:
    """Runs a process to its end and returns what it took and what it printed.

    The peak is the process's own. `with_children` asks for the sum over the process and all that
    it starts, which is sampled 20 times a second.

    Raises:
        RuntimeError: if the exit code is not 0.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        sampled = _Sampler(child)
        if with_children:
            sampled.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read()
    if with_children:
        sampled.join()
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}: {printed}")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = sampled.peak if with_children else usage.ru_maxrss * unit
    return Usage(wall, usage.ru_utime + usage.ru_stime, peak), printed


def run_score(model: Path, corpus: str, output: Path, *flags: str) -> tuple[Usage, float]:
    """Runs the command `score` as a user does.

    Returns what the process took, and the seconds of the pipeline as the manifest has them: from
    the first read to the last staged file, without the start.
    """
    command = [sys.executable, "-m", "pipeline", "score", "--model", str(model)]
    command += ["--input", corpus, "--output", str(output), "--date", "2026-11-20", *flags]
    usage, printed = run_process(command)
    [report] = [line.split()[-1] for line in printed.splitlines() if line.startswith("report")]
    manifest = json.loads(Path(report).with_name("manifest.json").read_text(encoding="utf-8"))
    return usage, manifest["seconds"]


def call_in_process(function: Callable[..., Returned], *arguments: object) -> Returned:
    """Calls a function in a new process, so that this one neither imports nor keeps what it needs.

    A child's peak memory begins with that of its parent: a parent that measures must stay small.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        return executor.submit(function, *arguments).result()


def start_contender(serve: Callable[..., None], *arguments: object) -> Connection:
    """Calls `serve(*arguments, connection)` in a new process; returns the connection's other end.

    A contender that dies closes its end, so that the next `recv` here raises `EOFError`.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=serve, args=(*arguments, theirs), daemon=True).start()
    theirs.close()
    return ours


class _Sampler(threading.Thread):
    """Samples the memory of a process and its children until the process has ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self.peak = 0
        self._process = process

    def run(self) -> None:
        while self._process.returncode is None:
            self.peak = max(self.peak, _tree_bytes(self._process.pid))
            time.sleep(SAMPLE_SECONDS)


def _tree_bytes(root: int) -> int:
    """Resident memory of a process and all below it."""
    page = os.sysconf("SC_PAGE_SIZE")
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # it has ended
                continue
            parents[int(entry.name)] = (int(stat[1]), int(stat[21]) * page)
    tree = {root}
    grown = True
    while grown:
        below = {pid for pid, (parent, _) in parents.items() if parent in tree} - tree
        grown = bool(below)
        tree |= below
    return sum(parents[pid][1] for pid in tree if pid in parents)
