"""Folders on any filesystem, and their copies on this machine's disk."""

import os

from pipeline.storage.files import Files, join

CHUNK = 1 << 20


def is_local(path: str) -> bool:
    """Whether a path lies on this machine's disks."""
    return "://" not in path


def local_folder(files: Files, folder: str, *, scratch: str) -> str:
    """A local path of a folder: itself, or a copy below `scratch`."""
    if is_local(folder):
        return folder
    download_folder(files, folder, to=scratch)
    return scratch


def download_folder(files: Files, folder: str, *, to: str) -> None:
    """Copies every file under a folder into a local one, keeping subfolders."""
    start = len(folder.rstrip("/")) + 1
    for info in files.match(join(folder, "**")):
        target = os.path.join(to, info.path[start:])
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with files.open(info.path) as source, open(target, "wb") as sink:
            while chunk := source.read(CHUNK):
                sink.write(chunk)


def upload_folder(files: Files, local: str, *, to: str) -> None:
    """Copies every file under a local folder to a folder of any filesystem."""
    for root, _, names in os.walk(local):
        for name in sorted(names):
            path = os.path.join(root, name)
            relative = os.path.relpath(path, local).replace(os.sep, "/")
            copy_file(files, path, to=join(to, relative))


def copy_file(files: Files, local: str | os.PathLike[str], *, to: str) -> None:
    """Copies a local file to a path of any filesystem."""
    with open(local, "rb") as source, files.create(to) as sink:
        while chunk := source.read(CHUNK):
            sink.write(chunk)
