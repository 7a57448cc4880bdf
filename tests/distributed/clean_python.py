"""A Python with nothing but what the workers' image has: what the Dockerfile's commands install."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.distributed.engines import PROJECT

DOCKERFILE = PROJECT / "configs/dataflow/Dockerfile"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CleanPython:
    """A virtual environment in a folder of its own."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv/bin/python"

    def install(self, sdist: bytes) -> None:
        """Installs a staged package over the image's, as a worker does when it starts.

        Raises:
            subprocess.CalledProcessError: also if what it requires is not there.
        """
        path = self.folder / "workflow.tar.gz"
        path.write_bytes(sdist)
        pip = [self.python, "-m", "pip", "--quiet"]
        over = ["--no-deps", "--no-build-isolation", "--force-reinstall"]
        subprocess.run([*pip, "install", *over, path], check=True, env=clean_environment())
        subprocess.run([*pip, "check"], check=True, env=clean_environment())

    def run_staged(self, pipeline: bytes, *, name: str, environment: Mapping[str, str]) -> None:
        """Executes a staged pipeline; what it prints goes to `<name>.log`.

        Raises:
            subprocess.CalledProcessError: if it fails.
        """
        path = self.folder / f"{name}.pb"
        path.write_bytes(pipeline)
        with path.with_suffix(".log").open("wb") as log:
            subprocess.run(
                [self.python, PROJECT / "tests/distributed/run_staged.py", path],
                cwd=self.folder,
                env={**clean_environment(), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=True,
            )


def make_clean_python(folder: Path) -> CleanPython:
    """Runs the commands that the image is built with in a new virtual environment."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    text = text[: text.index(" AS gpu")].replace("\\\n", " ")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    for line in re.findall(r"^COPY (.+) \S+$", text, re.M):
        for name in line.split():
            source, target = PROJECT / name, folder / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    commands = re.findall(r"^RUN (.+)$", text, re.M)
    assert commands
    made = CleanPython(folder=folder)
    path = f"{made.python.parent}{os.pathsep}{os.environ['PATH']}"
    # Byte code of all libraries takes as long as the rest of the installation.
    environment = {**clean_environment(), "PATH": path, "PIP_NO_COMPILE": "1"}
    for command in commands:
        subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, check=True)
    return made


def clean_environment() -> dict[str, str]:
    """The environment without what would lead a Python to this checkout."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
