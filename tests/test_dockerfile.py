"""What can be known of the workers' image without building it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import apache_beam
import pytest

PROJECT = Path(__file__).resolve().parents[1]
DOCKERFILE = PROJECT / "configs/dataflow/Dockerfile"


def test_the_linter_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_beam_and_python_are_those_of_the_lock() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    [(python, beam)] = re.findall(r"^FROM apache/beam_python([\d.]+)_sdk:([\d.]+) AS", text, re.M)
    assert beam == apache_beam.__version__
    assert f"apache-beam=={beam}" in (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    assert f">={python}" in (PROJECT / "setup.py").read_text(encoding="utf-8")


def test_everything_that_is_copied_is_there() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M)
    copied = [word for line in lines for word in line.split()]
    assert "setup.py" in copied
    assert not [name for name in copied if not (PROJECT / name).exists()]
