"""Copies folders between any filesystem and this machine's disks."""

import os
from collections.abc import Iterable

from model.config import ConfigError
from pipeline.storage.files import Files, join, read_chunks
from pipeline.storage.local_files import open_local


def is_local(path: str) -> bool:
    """Whether a path lies on this machine's disks."""
    return "://" not in path


def local_folder(files: Files, folder: str, *, scratch: str) -> str:
    """The path of a folder on this machine: the folder itself, or else its copy in `scratch`."""
    if is_local(folder):
        return folder
    download_folder(files, folder, to=scratch)
    return scratch


def list_folder(files: Files, folder: str) -> dict[str, int]:
    """The size of every file below a folder, by its path relative to it.

    Empty objects that stand for folders, as the consoles of object stores make them, are left out.
    """
    start = len(folder.rstrip("/")) + 1
    found = files.match(join(folder, "**"))
    return {info.path[start:]: info.bytes for info in found if not info.path.endswith("/")}


def download_folder(files: Files, folder: str, *, to: str) -> None:
    """Copies every file below a folder into a local one, with the same subfolders.

    Raises:
        ConfigError: if the name of an object would lead out of the folder.
    """
    download_files(files, folder, list_folder(files, folder), to=to)


def download_files(files: Files, folder: str, names: Iterable[str], *, to: str) -> None:
    """Copies files of a folder into a local one, with the same subfolders.

    Raises:
        ConfigError: if a name would lead out of the folder. Objects may have any name.
    """
    for name in names:
        if not name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ConfigError(
                f"{folder}: expected names of files below this folder, got {name[:100]!a}. "
                "Delete that object, or move it elsewhere."
            )
        target = os.path.join(to, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with files.open(join(folder, name)) as source, open(target, "wb") as sink:
            for chunk in read_chunks(source):
                sink.write(chunk)


def upload_folder(files: Files, local: str, *, to: str) -> None:
    """Copies every file below a local folder into a folder of any filesystem."""
    for root, _, names in os.walk(local):
        for name in sorted(names):
            path = os.path.join(root, name)
            relative = os.path.relpath(path, local).replace(os.sep, "/")
            copy_file(files, path, to=join(to, relative))


def copy_file(files: Files, local: str | os.PathLike[str], *, to: str) -> None:
    """Copies a local file to a path of any filesystem."""
    with open_local(local) as source, files.create(to) as sink:
        for chunk in read_chunks(source):
            sink.write(chunk)
