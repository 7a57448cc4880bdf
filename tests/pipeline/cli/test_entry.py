"""How a process ends: after an early signal, and when nobody reads what it prints."""

import json
import signal
import subprocess
import sys
import time

import pytest

# Sends Ctrl-C to itself when Python looks for a module for the first time.
INTERRUPTED_DURING_AN_IMPORT = """
import os, signal, sys
# A shell makes the commands that it starts in the background ignore Ctrl-C, and so their children.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pipeline.__main__ import main

class Interrupt:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
sys.argv = ["limelight", "--version"]
main()
"""


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("pipeline.cli.entry", -2, ""),
        ("pipeline.process.logs", -2, ""),
        ("model.config", 130, "error: stopped by a signal; run the command again to finish\n"),
        ("pipeline.cli.app", 130, "error: stopped by a signal; run the command again to finish\n"),
    ],
)
def test_a_signal_during_the_first_imports(module: str, code: int, said: str) -> None:
    script = INTERRUPTED_DURING_AN_IMPORT.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


@pytest.mark.parametrize("closed", ["| true", ">&-"])
def test_a_command_whose_output_nobody_reads_keeps_its_exit_code_and_its_last_log_line(
    closed: str,
) -> None:
    # 3,000 lines are more than a pipe holds.
    print_much = (
        "import sys; from pipeline import __main__; from pipeline.cli import app, printing; "
        "app.run_command = lambda _: [printing.print_line('x' * 99) for _ in range(3000)] and 3; "
        "sys.argv = ['limelight', 'score', '--log-format=json']; __main__.main()"
    )
    script = f'set -o pipefail; {sys.executable} -c "$0" {closed}'
    done = subprocess.run(["bash", "-c", script, print_much], capture_output=True, text=True)
    last = json.loads(done.stderr)
    assert (done.returncode, last["exit_code"], last["last"]) == (3, 3, True)


def test_standard_output_on_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "pipeline", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert finished.returncode == 1
    [line] = finished.stderr.splitlines()
    assert "No space left on device" in line


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0])
def test_ctrl_c_at_any_moment_of_the_start_says_one_line_or_none(seconds: float) -> None:
    """From the moment at which Python runs the first line of this program."""
    wait = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from pipeline.__main__ import main; print('started', flush=True); "
        "sys.argv = ['limelight', 'score', '--model', 'none', '--input', 'none', '--output', 'o']; "
        "main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", wait], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT, 2)  # 2: there is no such input
    assert said.count("\n") <= 1
    assert "Traceback" not in said
