"""Files on any filesystem: the operations that a run needs, and reading and writing small files.

The only implementation is `pipeline.storage.beam_files`, over Beam's filesystems. Other modules
import the protocol `Files`, so that they need not import Beam.
"""

import contextlib
import dataclasses
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Protocol, runtime_checkable

from pipeline.storage.local_files import IrregularFileError

logger = logging.getLogger("limelight")

RETRY_SECONDS = (0.2, 1.0, 5.0)  # waits before a file is opened again
CHUNK_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileInfo:
    """A file and its size in bytes."""

    path: str
    bytes: int


@runtime_checkable  # Beam checks the type annotations of functions at run time
class Files(Protocol):
    """Files on a local disk or in an object store, by path.

    Creating the first file of a folder creates the folder. No operation relies on an atomic rename
    of a folder.
    """

    def match(self, pattern: str) -> list[FileInfo]:
        """The files that match a glob (`*`, `?`, `[..]`, `**`), sorted by path.

        Raises:
            OSError: if the folder cannot be listed.
        """

    def open(self, path: str) -> BinaryIO:
        """Opens a file to read its bytes as stored; nothing is decompressed."""

    def create(self, path: str) -> BinaryIO:
        """Opens a new file for writing, and makes its folders."""

    def exists(self, path: str) -> bool:
        """Whether a file or a folder exists."""

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Moves each file `(source, target)`; a target that exists is replaced."""

    def delete(self, paths: Sequence[str]) -> None:
        """Deletes files, and folders with all their files; a missing path is no error."""

    def digest(self, path: str) -> str:
        """A digest of the content: SHA-256 on a local disk, the store's own checksum elsewhere."""

    def size(self, path: str) -> int:
        """The file's size in bytes."""


def join(folder: str, *names: str) -> str:
    """Joins path parts with `/`, which every Beam filesystem understands."""
    return "/".join([folder.rstrip("/"), *names])


def base_name(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def open_with_retries(files: Files, path: str) -> BinaryIO:
    """Opens a file; if that fails, tries again after each of the waits in `RETRY_SECONDS`.

    Raises:
        OSError: if the last try fails. A missing file, a folder, a pipe, or a file without
            permission fails at the first try.
    """
    for seconds in RETRY_SECONDS:
        try:
            return files.open(path)
        except (FileNotFoundError, PermissionError, IsADirectoryError, IrregularFileError):
            raise
        except OSError as error:
            logger.info("%s: %s; trying again in %g s", path, error, seconds)
            time.sleep(seconds)
    return files.open(path)


@contextlib.contextmanager
def created(files: Files, path: str) -> Iterator[BinaryIO]:
    """A new file, open for writing.

    Raises:
        OSError: if it cannot be written; the error names the file.
    """
    with errors_naming(path), files.create(path) as stream:
        yield stream


@contextlib.contextmanager
def errors_naming(path: str) -> Iterator[None]:
    """Adds the file's name to an `OSError` without one; for a full disk the system gives none."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, path) from error


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of a stream in pieces of `CHUNK_BYTES`, so that a file need not fit in memory."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def read_json(files: Files, path: str) -> Any:
    """The value in a JSON file."""
    with files.open(path) as stream:
        return json.loads(stream.read())


def read_lines(files: Files, path: str) -> list[str]:
    """The lines of a UTF-8 file from `write_lines`; only a line feed ends a line."""
    with files.open(path) as stream:
        return stream.read().decode().split("\n")[:-1]


def write_lines(files: Files, path: str, lines: Iterable[str]) -> None:
    """Writes one item per line, in UTF-8; an item must not contain a line feed."""
    write_text(files, path, "".join(f"{line}\n" for line in lines))


def write_text(files: Files, path: str, text: str) -> None:
    """Writes a text file in UTF-8."""
    with created(files, path) as stream:
        stream.write(text.encode())


def replace_text(files: Files, path: str, text: str) -> None:
    """Replaces a text file by one move, so a kill or a full disk leaves the old content."""
    try:
        write_text(files, f"{path}.new", text)
        files.move([(f"{path}.new", path)])
    except Exception:
        # Raise the first error: it explains the failure; a second one in the clean-up does not.
        with contextlib.suppress(Exception):
            files.delete([f"{path}.new"])
        raise


def write_json(files: Files, path: str, value: Any) -> None:
    """Writes an indented JSON file; keys are sorted, so equal values give equal files."""
    write_text(files, path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
