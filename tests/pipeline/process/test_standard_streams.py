"""A closed pipe or a missing descriptor changes neither the work nor the exit code."""

import subprocess
import sys

import pytest

WRITE = (
    "import sys; from pipeline.process.standard_streams import open_standard_streams; "
    "open_standard_streams(); "
    "[print('x' * 1000) for _ in range(1000)]; sys.stdout.flush(); "
    "print('the last line', file=sys.stderr); sys.exit(7)"
)


@pytest.mark.parametrize("closed", ["| true", "| head -1", ">&-", "<&- >&-"])
def test_standard_output_that_nobody_reads(closed: str) -> None:
    script = f'set -o pipefail; {sys.executable} -c "$0" {closed}'
    finished = subprocess.run(["bash", "-c", script, WRITE], capture_output=True, text=True)
    assert finished.returncode == 7
    assert finished.stderr == "the last line\n"


def test_standard_error_that_is_closed() -> None:
    script = f'{sys.executable} -c "$0" 2>&-'
    finished = subprocess.run(["bash", "-c", script, WRITE], capture_output=True, text=True)
    assert finished.returncode == 7
    assert "the last line" not in finished.stdout  # it is not written into another file


def test_help_into_a_closed_pipe_is_silent() -> None:
    script = f"set -o pipefail; {sys.executable} -m pipeline --help | true"
    finished = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_full_disk_behind_standard_output_is_said() -> None:
    said = (
        "from pipeline.process.standard_streams import open_standard_streams as o; o(); "
        "print('x' * 100000)"
    )
    with open("/dev/full", "w") as full:
        finished = subprocess.run(
            [sys.executable, "-c", said], stdout=full, stderr=subprocess.PIPE, text=True
        )
    message = "StandardOutputError: standard output: expected to be written, got No space left on"
    assert message in finished.stderr


def test_a_command_that_cannot_print_says_so_in_one_line() -> None:
    with open("/dev/full", "w") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "pipeline", "runs", "--help"],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: standard output: expected to be written, got No space left on device. Write it "
        "elsewhere, or free some space.\n"
    )
