"""Checkpoints of a training in the workspace: complete, or as if never begun."""

import os
from pathlib import Path

from model.training.fit import STATE
from pipeline.storage.files import Files, base_name, join
from pipeline.storage.folders import copy_file, download_folder


def save_checkpoint(files: Files, local: Path, *, to: str) -> None:
    """Copies an epoch's end from a worker's disk to the workspace.

    The state names the other files, so it comes last and by one move: a worker
    killed on the way leaves the previous checkpoint, or this one.
    """
    names = sorted(path.name for path in local.iterdir())
    for name in names:
        if name != STATE:
            copy_file(files, local / name, to=join(to, name))
    copy_file(files, local / STATE, to=join(to, f"{STATE}.new"))
    files.move([(join(to, f"{STATE}.new"), join(to, STATE))])
    found = [info.path for info in files.match(join(to, "*"))]
    files.delete([path for path in found if base_name(path) not in names])


def load_checkpoint(files: Files, folder: str, *, to: Path) -> None:
    """Copies the last whole checkpoint, if there is one, to a worker's disk."""
    if files.exists(join(folder, STATE)):
        download_folder(files, folder, to=os.fspath(to))
