"""Staged files: what a run wrote and has not published yet."""

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from pipeline.storage.files import Files, created
from pipeline.storage.folders import is_local

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


class Scratch:
    """A file while it is written on this machine's disks, before it is staged.

    Where it is to be staged on a local disk, it is written beside its path, among what is swept
    after a run that died, and moved there. Otherwise it has no name once it is open, so that a
    process that fails or is killed leaves nothing, and is copied.
    """

    def __init__(self, path: str) -> None:
        """Makes an empty file, to be opened by its `name` before `opened` is called."""
        self.path = path
        if is_local(path):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            self.name = f"{path}.part"
            self._content = open(self.name, "w+b")  # noqa: SIM115 - closed when it is staged
        else:
            descriptor, self.name = tempfile.mkstemp(suffix=os.path.splitext(path)[1])
            self._content = os.fdopen(descriptor, "w+b")

    def opened(self) -> None:
        """Its writer has opened it."""
        if not is_local(self.path):
            os.unlink(self.name)

    def size(self) -> int:
        """Bytes written."""
        return os.fstat(self._content.fileno()).st_size

    def stage(self, files: Files, *, rows: int) -> StagedFile:
        """Stages what was written, once it is complete."""
        with self._content as content:
            if not is_local(self.path):
                return stage_streams(files, [content], path=self.path, rows=rows)
            size = self.size()
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        files.move([(self.name, self.path)])
        return StagedFile(path=self.path, bytes=size, rows=rows, sha256=digest)


def stage_files(files: Files, paths: Sequence[str], *, path: str, rows: int) -> StagedFile:
    """Copies files, one after another, into one file; all may lie on any filesystem.

    A rerun writes the same path again, so a retried worker leaves no second copy.
    """

    def sources() -> Iterator[BinaryIO]:
        for each in paths:
            with files.open(each) as source:
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
