"""Checkpoints of a training in the workspace, where another worker can resume from them."""

import os
from pathlib import Path

from model.training.state.checkpoint import STATE
from pipeline.storage.files import Files, base_name, join
from pipeline.storage.folders import copy_file, download_folder


def save_checkpoint(files: Files, local: Path, *, to: str) -> None:
    """Copies the checkpoint of an epoch from a worker's disk to the workspace.

    `STATE` names the other files. It is copied last and put in place by one move, so a worker
    that is killed during the copy leaves either the previous checkpoint or this one, complete.
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
    """Copies the last complete checkpoint, if there is one, to a worker's disk."""
    if files.exists(join(folder, STATE)):
        download_folder(files, folder, to=os.fspath(to))
