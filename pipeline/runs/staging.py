"""Staged files: what a run wrote and has not published yet."""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from pipeline.runs.files import Files, created

CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class StagedFile:
    """A file that a run wrote, with what its manifest says of it.

    Attributes:
        path: where it lies.
        bytes: its size.
        rows: its rows.
        sha256: of its content.
        subfolder: where it belongs below the published folder, such as `lang=en`.
    """

    path: str
    bytes: int
    rows: int
    sha256: str
    subfolder: str = ""

    def as_output(self) -> dict[str, Any]:
        """What the `outputs` of a manifest say of the file."""
        return {
            "file": self.path,
            "bytes": self.bytes,
            "rows": self.rows,
            "sha256": self.sha256,
        }


def stage_files(files: Files, local_paths: Sequence[str], *, path: str, rows: int) -> StagedFile:
    """Copies local files, one after another, into one file of any filesystem.

    A rerun writes the same path again, so a retried worker leaves no second copy.
    """

    def sources() -> Iterator[BinaryIO]:
        for local_path in local_paths:
            with open(local_path, "rb") as source:
                yield source

    return stage_streams(files, sources(), path=path, rows=rows)


def stage_streams(files: Files, sources: Iterable[BinaryIO], *, path: str, rows: int) -> StagedFile:
    """Copies streams, one after another, into one file of any filesystem."""
    digest = hashlib.sha256()
    size = 0
    with created(files, path) as sink:
        for source in sources:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                sink.write(chunk)
                size += len(chunk)
    return StagedFile(path=path, bytes=size, rows=rows, sha256=digest.hexdigest())
