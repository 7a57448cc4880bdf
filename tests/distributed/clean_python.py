"""A Python with only the packages of the workers' image: those the Dockerfile installs."""

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
            subprocess.CalledProcessError: also if one of its requirements is not installed.
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

    def run_commands(self, stage: str, *pip_flags: str) -> None:
        """Runs the commands that a stage of the image is built with.

        Args:
            stage: its name.
            pip_flags: further flags of `pip install`.

        Raises:
            subprocess.CalledProcessError: if one fails.
        """
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        commands = re.findall(r"^RUN (.+)$", read_stage(stage), re.M)
        assert commands
        install = " ".join(["pip install --quiet", *pip_flags])
        for command in commands:
            subprocess.run(
                ["bash", "-ec", command.replace("pip install", install)],
                cwd=self.folder,
                env={**clean_environment(), "PATH": path},
                check=True,
            )


def read_stage(name: str) -> str:
    """A stage of the Dockerfile, one command on each line."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    [stage] = re.findall(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", text, re.M | re.S)
    return str(stage)


def make_clean_python(folder: Path) -> CleanPython:
    """Runs the commands that the workers' image is built with in a new virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    for line in re.findall(r"^COPY (.+) \S+$", read_stage("cpu"), re.M):
        for name in line.split():
            source, target = PROJECT / name, folder / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    made = CleanPython(folder=folder)
    # Byte code of all libraries takes as long as the rest of the installation.
    made.run_commands("cpu", "--no-compile")
    return made


def clean_environment() -> dict[str, str]:
    """The environment without the variables that would make a Python import from this checkout."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
