"""A training process that was killed and runs again continues from its last checkpoint."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.commands import PROJECT, run
from tests.pipeline.stages.good_and_bad import good_and_bad

pytestmark = pytest.mark.long

EPOCHS = 12


def write_config(folder: Path) -> Path:
    values = good_and_bad(folder, texts=400, batch_size=4, epochs=EPOCHS, seeds=[1, 2])
    config = folder / "small.yaml"
    config.write_text(json.dumps(values), encoding="utf-8")
    return config


def wait_for_epochs(folder: Path, epochs: int, process: subprocess.Popen[bytes]) -> dict[str, list]:
    """Waits until one seed is done and the other has so many epochs; returns histories by key."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        states = folder.glob("runs/checkpoints/*/state.json")
        histories = {path.parent.name: json.loads(path.read_text())["history"] for path in states}
        lengths = sorted(len(history) for history in histories.values())
        if len(lengths) == 2 and lengths[0] >= epochs and lengths[1] == EPOCHS:
            return histories
        time.sleep(0.05)
    raise AssertionError(f"no checkpoint of {epochs} epochs; the process: {process.poll()}")


def events_of(folder: Path, key: str) -> Path:
    """The events of a training for TensorBoard; it appends to them at the end of each epoch."""
    [path] = folder.glob(f"runs/logs/small/*-{key}/events*")
    return path


def test_a_killed_training_continues_from_its_last_checkpoint(tmp_path):
    config = write_config(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "train", "--config", str(config)], cwd=PROJECT
    )
    try:
        before = wait_for_epochs(tmp_path, 2, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "runs" / "models").exists()
    [done] = [key for key, history in before.items() if len(history) == EPOCHS]
    written = events_of(tmp_path, done).stat().st_mtime_ns

    again = run("train", "--config", config)
    assert again.code == 0, again.err
    # The finished seed was not trained again; the other one continued where it was.
    assert events_of(tmp_path, done).stat().st_mtime_ns == written
    lines = (tmp_path / "runs/models/small/1/history.csv").read_text().splitlines()
    names = lines[0].split(",")
    history = [dict(zip(names, map(float, line.split(",")), strict=True)) for line in lines[1:]]
    assert len(history) == EPOCHS
    # No two epochs take exactly the same time, so equal times are rows from before the kill.
    seconds = [row["seconds"] for row in history]
    known = [[row["seconds"] for row in rows] for rows in before.values()]
    assert any(seconds[: len(rows)] == rows for rows in known)
    assert not list(tmp_path.glob("runs/checkpoints/*"))
