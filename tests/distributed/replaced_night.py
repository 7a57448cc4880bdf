"""A night whose corpus was replaced: the old one is published, the new one not scored yet."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

from tests.end_to_end.commands import PROJECT, run
from tests.pipeline.stages.nights import DATE, Nights, left_behind, make_rows


def old_rows() -> list[dict[str, str]]:
    return make_rows(30)


def new_rows() -> list[dict[str, str]]:
    return make_rows(60, first=20)


def publish_old(nights: Nights) -> Nights:
    nights.write(old_rows())
    nights.score()
    write_new(nights)
    return nights


def write_new(nights: Nights) -> None:
    nights.write(new_rows(), shards=3)


def command_of(nights: Nights) -> list[str]:
    config = nights.folder / "config.yaml"
    path = str(nights.folder / "corpus" / "{date}" / "*.jsonl")
    values = {"corpus": {"inputs": [{"path": path}], "columns": {"id": "id"}}}
    config.write_text(json.dumps(values))
    return [
        *("score", "--model", nights.model, "--config", str(config)),
        *("--output", str(nights.output), "--date", DATE),
    ]


def start(nights: Nights, *, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command_of(nights)],
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_work(nights: Nights, process: subprocess.Popen[str]) -> None:
    """Waits until the run has listed its inputs; it has not read them yet."""
    before = len(nights.manifests())
    while len(list(nights.output.glob("runs/*/manifest.json"))) == before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)


def check_rerun(nights: Nights, expected: pa.Table) -> None:
    """Asserts that a rerun by the command publishes the expected rows and leaves nothing else."""
    assert run(*command_of(nights)).code == 0
    assert nights.table().equals(expected)
    assert left_behind(nights.output) == set()


def undisturbed(folder: Path, model: str) -> tuple[pa.Table, pa.Table]:
    """The rows of a run over the old corpus and of one over the new corpus, without any fault."""
    nights = Nights(folder=folder, model=model)
    tables = []
    for rows in (old_rows(), new_rows()):
        nights.write(rows)
        nights.score()
        tables.append(nights.table())
    return tables[0], tables[1]
