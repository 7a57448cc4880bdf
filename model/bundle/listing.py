"""Lists the files of a model directory, of which each must be a regular file.

Links are refused because they may lead to files outside the directory, and FIFOs and devices
because reading them may never end.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from model.bundle.errors import BundleError
from model.bundle.file_limits import MAX_FILES
from model.bundle.file_names import MANIFEST
from model.files.regular_files import describe_kind

_MAX_DEPTH = 8  # of folders in a SavedModel there are two
_MAX_NAME = 1_000  # characters

# Files that no program reads and that a model directory may have all the same: file managers write
# the first three; a move in an object store that was interrupted leaves the last one.
_IGNORED = (".DS_Store", "Thumbs.db", "desktop.ini", f"{MANIFEST}.new")


def is_plain_name(name: str) -> bool:
    """Whether a name is a path below the model directory, of `/` and printable characters."""
    parts = name.split("/")
    return (
        len(name) <= _MAX_NAME
        and name.isprintable()
        and "\\" not in name
        and not any(part in ("", ".", "..") for part in parts)
    )


def compare_names(folder: str, got: Mapping[str, int], described: Mapping[str, int]) -> None:
    """Checks that a model directory has the files that its manifest lists, of the same sizes.

    Args:
        folder: in messages.
        got: the size of each file that is there.
        described: the size of each file by the manifest.

    Raises:
        BundleError: naming the first file that is missing, unlisted or of another size.
    """
    for name, size in described.items():
        if name not in got:
            raise BundleError(
                f"{folder}/{name}: expected this file of the model, got none. "
                "Copy the whole directory again."
            )
        if got[name] != size:
            raise BundleError(
                f"{folder}/{name}: expected {size:,} bytes, as the manifest says, got "
                f"{got[name]:,}: the file was changed after training. Copy the whole directory "
                "again."
            )
    for name in got:
        if name not in described and name != MANIFEST and not is_ignored(name):
            raise BundleError(
                f"{folder}/{name}: expected only files that the manifest lists, got this one. "
                "Move it out of the model directory."
            )


def is_ignored(name: str) -> bool:
    """Whether a file may be there though the manifest does not list it."""
    return name.rsplit("/", 1)[-1] in _IGNORED


def list_files(folder: Path) -> dict[str, int]:
    """The size of every file below a model directory, by its path relative to it, in order.

    Raises:
        BundleError: for what is no regular file, too many files, or a folder that cannot be read.
    """
    found: dict[str, int] = {}
    for name, size in _walk(folder, "", depth=0):
        found[name] = size
        if len(found) > 2 * MAX_FILES:
            raise BundleError(
                f"{folder}: expected at most {MAX_FILES:,} files of a model, got more. Give the "
                "folder of one version, such as runs/models/demo/1."
            )
    return dict(sorted(found.items()))


def _walk(folder: Path, prefix: str, *, depth: int) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                status = entry.stat(follow_symlinks=False)
                kind = describe_kind(status.st_mode)
                if entry.is_dir(follow_symlinks=False) and depth < _MAX_DEPTH:
                    yield from _walk(folder / entry.name, f"{name}/", depth=depth + 1)
                elif kind is None:
                    yield name, status.st_size
                else:
                    raise BundleError(
                        f"{folder / entry.name}: expected a regular file, got {kind}. Put the "
                        "file itself in its place."
                    )
    except OSError as error:
        raise BundleError(
            f"{folder}: expected a folder of a model that can be read, got {error.strerror}. "
            "Copy the whole directory again."
        ) from None
