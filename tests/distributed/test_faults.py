"""An output that cannot be written: the command, as a scheduler runs it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.commands import run
from tests.pipeline.stages.nights import DATE, Nights, make_rows
from tests.pipeline.tiny_model import write_model

pytestmark = pytest.mark.distributed


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    made = Nights(folder=tmp_path, model=write_model(tmp_path / "model"))
    made.write(make_rows(40))
    return made


@pytest.fixture
def small_disk(nights: Nights) -> Iterator[Path]:
    """The output is a disk of its own with room for little; skipped where none may be mounted."""
    nights.output.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(nights.output)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield nights.output
    subprocess.run(["umount", str(nights.output)], check=True)


def command_of(nights: Nights) -> list[str]:
    config = nights.folder / "config.yaml"
    path = str(nights.folder / "corpus" / "{date}" / "*.jsonl")
    values = {"corpus": {"inputs": [{"path": path}], "columns": {"id": "id"}}}
    config.write_text(json.dumps(values))
    return [
        *("score", "--model", nights.model, "--config", str(config)),
        *("--output", str(nights.output), "--date", DATE),
    ]


def test_a_read_only_output_is_one_line(nights: Nights, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    finished = run(*command_of(nights))
    assert finished.code == 2
    assert "expected an output folder that can be written" in finished.error_line
    assert "Read-only file system" in finished.error_line
