"""Real faults of a night: the command as a scheduler runs it, while a reader reads the partition.

After each fault the run is repeated, and it must publish what a run without the fault publishes.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.runners.execution import RunError
from tests.distributed.reader import Reader
from tests.distributed.replaced_night import (
    check_rerun,
    command_of,
    publish_old,
    start,
    wait_for_work,
    write_new,
)
from tests.end_to_end.commands import run
from tests.pipeline.stages.nights import DATE, Nights, left_behind

pytestmark = pytest.mark.distributed

PAGE = 4096


@pytest.fixture
def small_disk(tmp_path: Path, tiny_model: str) -> Iterator[Nights]:
    """Nights whose output is a disk of its own; skips the test where it cannot be mounted."""
    nights = Nights(folder=tmp_path, model=tiny_model)
    nights.output.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(nights.output)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    try:
        yield publish_old(nights)
    finally:
        # A lazy unmount, because the traceback of a failed test keeps files open.
        subprocess.run(["umount", "-l", str(nights.output)], check=True)


def test_a_read_only_output_is_an_error_of_one_line(
    small_disk: Nights, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    old, new = old_and_new
    mount = ["mount", str(small_disk.output), "-o"]
    subprocess.run([*mount, "remount,ro"], check=True)
    finished = run(*command_of(small_disk))
    assert finished.code == 2
    assert "expected an output folder that can be written" in finished.error_line
    assert "Read-only file system" in finished.error_line
    assert small_disk.table().equals(old)
    subprocess.run([*mount, "remount,rw"], check=True)
    check_rerun(small_disk, new)


def test_a_full_disk_leaves_the_old_rows(
    small_disk: Nights, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    old, new = old_and_new
    ballast = small_disk.output / "ballast"
    with Reader(small_disk, allowed=[old, new]) as reader:
        for pages in range(100):  # of room; a failed run's manifest takes some of them
            free = os.statvfs(small_disk.output)
            ballast.write_bytes(b"0" * (free.f_bavail * free.f_frsize - pages * PAGE))
            try:
                small_disk.score()
                break
            except RunError as error:
                assert "No space left on device" in str(error)  # noqa: PT017
                assert str(small_disk.output) in str(error)  # noqa: PT017
            finally:
                ballast.unlink()
            assert small_disk.table().equals(old)
            assert left_behind(small_disk.output) == set()
    assert pages > 10
    assert reader.waited + sum(reader.seen) > 0
    assert small_disk.table().equals(new)
    check_rerun(small_disk, new)


def test_a_full_disk_is_an_error_of_one_line(
    small_disk: Nights, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    old, new = old_and_new
    free = os.statvfs(small_disk.output)
    ballast = small_disk.output / "ballast"
    ballast.write_bytes(b"0" * (free.f_bavail * free.f_frsize - 5 * PAGE))
    finished = run(*command_of(small_disk))
    assert finished.code == 1
    assert "No space left on device" in finished.error_line
    assert small_disk.table().equals(old)
    ballast.unlink()
    check_rerun(small_disk, new)


def test_an_input_that_vanishes_midway_is_an_error_of_one_line(
    nights: Nights, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    old, new = old_and_new
    vanishing = nights.folder / "corpus" / DATE / "1.jsonl"
    with Reader(nights, allowed=[old]) as reader:
        process = start(nights)
        wait_for_work(nights, process)
        vanishing.rename(nights.folder / "kept")
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    [line] = said.splitlines()
    assert line.startswith("error: ")
    assert "1.jsonl" in line
    assert reader.seen[0] > 0
    assert reader.waited == 0
    assert left_behind(nights.output) == set()
    assert nights.manifests()[-1]["status"] == "failed"
    (nights.folder / "kept").rename(vanishing)
    check_rerun(nights, new)


def test_a_file_that_opens_at_the_third_try_is_scored(
    nights: Nights, old_and_new: tuple[pa.Table, pa.Table]
) -> None:
    old, new = old_and_new
    flaky = nights.folder / "corpus" / DATE / "1.jsonl"
    with Reader(nights, allowed=[old, new]):
        process = start(nights)
        wait_for_work(nights, process)
        flaky.rename(nights.folder / "kept")
        flaky.symlink_to(flaky)  # a link to itself exists but cannot be opened
        assert process.stderr is not None
        tries = [process.stderr.readline() for _ in range(2)]
        (nights.folder / "kept").replace(flaky)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert all("1.jsonl" in line and "trying again in" in line for line in tries), tries
    assert nights.table().equals(new)
    assert left_behind(nights.output) == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_cleanly_at_any_time(
    nights: Nights, old_and_new: tuple[pa.Table, pa.Table], number: signal.Signals
) -> None:
    """The signal comes during reading and scoring, which is mostly compiled code."""
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, and so it would be by the command")
    old, new = old_and_new
    text = "so good and so bad a poison " * 40
    nights.write([{"id": f"d{row}", "text": text} for row in range(120_000)], shards=4)
    for seconds in (0.2, 0.5, 0.8):
        with Reader(nights, allowed=[old]) as reader:
            process = start(nights)
            wait_for_work(nights, process)
            time.sleep(seconds)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert said == "error: stopped by a signal; run the command again to finish\n"
        assert reader.waited == 0
        assert left_behind(nights.output) == set()
        assert nights.manifests()[-1]["status"] == "failed"
    write_new(nights)
    check_rerun(nights, new)
