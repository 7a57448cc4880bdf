"""Checkpoints are complete or absent, wherever the worker is killed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from model.training.state.checkpoint import STATE
from pipeline.storage.beam_files import BeamFiles
from pipeline.training.checkpoints import load_checkpoint, save_checkpoint


class KilledError(Exception):
    """Stands for the kill of the process."""


class DyingFiles(BeamFiles):
    """Files of a process that is killed before its n-th change."""

    def __init__(self, changes: int) -> None:
        self.left = changes

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError

    def create(self, path: str) -> BinaryIO:
        self._count()
        return super().create(path)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        self._count()
        super().move(moves)

    def delete(self, paths: Any) -> None:
        self._count()
        super().delete(paths)


def write_epoch(folder: Path, epoch: int) -> Path:
    """Writes what training leaves after an epoch; the state names the file of its weights."""
    folder.mkdir()
    (folder / f"epoch-{epoch}.weights.safetensors").write_text(f"weights {epoch}")
    (folder / "best.weights.safetensors").write_text(f"best {epoch}")
    (folder / STATE).write_text(str(epoch))
    return folder


def load(folder: str, to: Path) -> int:
    """The epoch after which a new worker would continue; 0 if there is no checkpoint."""
    load_checkpoint(BeamFiles(), folder, to=to)
    if not (to / STATE).exists():
        return 0
    epoch = int((to / STATE).read_text())
    assert (to / f"epoch-{epoch}.weights.safetensors").read_text() == f"weights {epoch}"
    return epoch


def test_a_later_epoch_replaces_an_earlier_one(tmp_path):
    kept = str(tmp_path / "kept")
    for epoch in (1, 2):
        save_checkpoint(BeamFiles(), write_epoch(tmp_path / str(epoch), epoch), to=kept)
    assert load(kept, tmp_path / "loaded") == 2
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    assert names == {"epoch-2.weights.safetensors", "best.weights.safetensors", STATE}


def test_no_checkpoint_is_nothing_to_load(tmp_path):
    assert load(str(tmp_path / "none"), tmp_path / "loaded") == 0


@pytest.mark.parametrize("changes", range(5))
def test_a_worker_killed_on_the_way_leaves_a_whole_checkpoint(tmp_path, changes):
    kept = str(tmp_path / "kept")
    save_checkpoint(BeamFiles(), write_epoch(tmp_path / "1", 1), to=kept)
    with pytest.raises(KilledError):
        save_checkpoint(DyingFiles(changes), write_epoch(tmp_path / "2", 2), to=kept)
    assert load(kept, tmp_path / "loaded") == (2 if changes == 4 else 1)
