"""A signal ends a command without a traceback, however early it comes."""

import subprocess
import sys

import pytest

# Sends Ctrl-C to itself when Python looks for a module for the first time.
INTERRUPTED_DURING_AN_IMPORT = """
import os, signal, sys
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
