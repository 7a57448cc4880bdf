"""Starts the process of `worker` and asks it to load model directories."""

import json
import subprocess
import sys
from pathlib import Path


class LoadingWorker:
    """A process that loads model directories in limited memory and time.

    Args:
        accepted: models that are in order; the memory that they need is the usual one.
    """

    def __init__(self, *accepted: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.model.bundle.tampering.worker", *map(str, accepted)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._receive() == "ready"

    def load(self, folder: Path) -> dict[str, object]:
        """What became of a model; `crashed` if the process ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        line = self._receive()
        if not line:
            return {"outcome": "crashed", "message": f"exit code {self._process.wait()}"}
        outcome: dict[str, object] = json.loads(line)
        return outcome

    def _receive(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
