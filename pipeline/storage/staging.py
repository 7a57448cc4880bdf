"""Staged files: a run has written them and not yet published them."""

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from pipeline.storage.files import Files, created, read_chunks
from pipeline.storage.folders import is_local


@dataclasses.dataclass(frozen=True, kw_only=True)
class StagedFile:
    """A file that a run wrote, with the facts that the manifest records.

    Attributes:
        path: where it is.
        bytes: its size.
        rows: how many rows it holds.
        sha256: the digest of its content, hexadecimal.
        subfolder: its subfolder of the published folder, such as `lang=en`; or empty.
    """

    path: str
    bytes: int
    rows: int
    sha256: str
    subfolder: str = ""

    def as_output(self) -> dict[str, Any]:
        """The item for this file in the `outputs` of a manifest."""
        return {
            "file": self.path,
            "bytes": self.bytes,
            "rows": self.rows,
            "sha256": self.sha256,
        }


class ScratchFile:
    """A file that is being written on this machine's disks, before it is staged.

    If it is staged on a local disk, it is written beside its final path and then moved. If the run
    dies, the sweep of the staging folder deletes it. If it is staged elsewhere, it is written to a
    temporary file and then copied. The temporary file is unlinked as soon as its writer has opened
    it, so nothing is left if the process fails or is killed.
    """

    def __init__(self, path: str) -> None:
        """Makes an empty file. Its writer opens it by its `name` and then calls `opened`."""
        self.path = path
        if is_local(path):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            self.name = f"{path}.part"
            self._content = open(self.name, "w+b")  # noqa: SIM115 - closed when it is staged
        else:
            descriptor, self.name = tempfile.mkstemp(suffix=os.path.splitext(path)[1])
            self._content = os.fdopen(descriptor, "w+b")

    def opened(self) -> None:
        """Call this when the writer has opened the file: a temporary file is then unlinked."""
        if not is_local(self.path):
            os.unlink(self.name)

    def size(self) -> int:
        """How many bytes have been written."""
        return os.fstat(self._content.fileno()).st_size

    def stage(self, files: Files, *, rows: int) -> StagedFile:
        """Moves or copies the complete file to its path."""
        with self._content as content:
            if not is_local(self.path):
                return stage_streams(files, [content], path=self.path, rows=rows)
            size = self.size()
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        files.move([(self.name, self.path)])
        return StagedFile(path=self.path, bytes=size, rows=rows, sha256=digest)


def stage_files(files: Files, paths: Sequence[str], *, path: str, rows: int) -> StagedFile:
    """Joins files of any filesystem into one, in their order.

    A retried worker writes the same path again, so it leaves no second copy.
    """

    def sources() -> Iterator[BinaryIO]:
        for each in paths:
            with files.open(each) as source:
                yield source

    return stage_streams(files, sources(), path=path, rows=rows)


def stage_streams(files: Files, sources: Iterable[BinaryIO], *, path: str, rows: int) -> StagedFile:
    """Joins streams into one file of any filesystem, in their order."""
    digest = hashlib.sha256()
    size = 0
    with created(files, path) as sink:
        for source in sources:
            for chunk in read_chunks(source):
                digest.update(chunk)
                sink.write(chunk)
                size += len(chunk)
    return StagedFile(path=path, bytes=size, rows=rows, sha256=digest.hexdigest())
