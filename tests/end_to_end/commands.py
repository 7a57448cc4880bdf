"""Runs the command line as a user does, in another process; returns its output and exit code."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def error_line(self) -> str:
        """The line of the error, which is the last; a slow machine may print progress before it."""
        lines = self.err.strip().splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        assert errors == lines[-1:], self.err
        assert "Traceback" not in self.err
        return errors[0]


def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> Finished:
    """Runs `python -m pipeline` with the arguments."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=900,
    )
    return Finished(code=done.returncode, out=done.stdout, err=done.stderr)
