"""What a run needs of a filesystem.

The one implementation, over Beam's filesystems, is `pipeline.storage.beam_files`;
this protocol keeps the rooms that only need files free of Beam.
"""

import contextlib
import dataclasses
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Protocol, runtime_checkable

logger = logging.getLogger("limelight")

RETRY_SECONDS = (0.2, 1.0, 5.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileInfo:
    """A file and its size in bytes."""

    path: str
    bytes: int


@runtime_checkable  # Beam checks annotations of the functions it is given
class Files(Protocol):
    """Files on a local disk or an object store, by path.

    Folders appear with their first file. No operation relies on an atomic
    rename of a folder; moving one file replaces the target.
    """

    def match(self, pattern: str) -> list[FileInfo]:
        """The files that match a glob (`*`, `?`, `[..]`, `**`), sorted by path."""

    def open(self, path: str) -> BinaryIO:
        """Opens a file's bytes as they are; nothing is decompressed."""

    def create(self, path: str) -> BinaryIO:
        """Opens a new file for writing, and its folders with it."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Moves each file `(source, target)`; a target that exists is replaced."""

    def delete(self, paths: Sequence[str]) -> None:
        """Deletes files, and folders with all they hold; absent ones are no error."""

    def digest(self, path: str) -> str:
        """A digest that changes when the file's content does."""

    def size(self, path: str) -> int:
        """The file's size in bytes."""


def join(folder: str, *names: str) -> str:
    """Joins path parts with `/`, which every Beam filesystem understands."""
    return "/".join([folder.rstrip("/"), *names])


def base_name(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def open_patiently(files: Files, path: str) -> BinaryIO:
    """Opens a file, again after a while where a network or a disk failed for a moment.

    Raises:
        OSError: the last one; at once if the file is not there or must not be read.
    """
    for seconds in RETRY_SECONDS:
        try:
            return files.open(path)
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except OSError as error:
            logger.info("%s: %s; trying again in %g s", path, error, seconds)
            time.sleep(seconds)
    return files.open(path)


@contextlib.contextmanager
def created(files: Files, path: str) -> Iterator[BinaryIO]:
    """A new file, open for writing.

    Raises:
        OSError: that names the file.
    """
    with naming(path), files.create(path) as stream:
        yield stream


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Gives errors the name of the file at work, which the system does not for a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, path) from error


def read_json(files: Files, path: str) -> Any:
    """The value a JSON file holds."""
    with files.open(path) as stream:
        return json.loads(stream.read())


def read_lines(files: Files, path: str) -> list[str]:
    """The lines of a UTF-8 file that `write_lines` wrote; only a line feed ends a line."""
    with files.open(path) as stream:
        return stream.read().decode().split("\n")[:-1]


def write_lines(files: Files, path: str, lines: Iterable[str]) -> None:
    """Writes one item a line, in UTF-8; an item must not hold a line feed."""
    write_text(files, path, "".join(f"{line}\n" for line in lines))


def write_text(files: Files, path: str, text: str) -> None:
    """Writes a text file in UTF-8."""
    with created(files, path) as stream:
        stream.write(text.encode())


def replace_text(files: Files, path: str, text: str) -> None:
    """Writes a text file by one move: a kill or a full disk leaves what was there."""
    try:
        write_text(files, f"{path}.new", text)
        files.move([(f"{path}.new", path)])
    except Exception:
        with contextlib.suppress(Exception):  # the error that came first is the news
            files.delete([f"{path}.new"])
        raise


def write_json(files: Files, path: str, value: Any) -> None:
    """Writes a JSON file, indented, with sorted keys so that equal values make equal files."""
    write_text(files, path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
