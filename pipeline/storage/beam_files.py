"""Files on any filesystem that Beam knows: local disks, `gs://` and others."""

import contextlib
import hashlib
import importlib
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.storage.files import FileInfo

CHUNK = 1 << 20


class BeamFiles:
    """`pipeline.storage.files.Files` over `apache_beam.io.filesystems`."""

    def match(self, pattern: str) -> list[FileInfo]:
        """The files that match a glob, sorted by path; none is no error."""
        try:
            [result] = _filesystems(pattern).match([pattern])
        except BeamIOError as error:
            raise OSError(f"{pattern}: cannot be listed: {error}") from error
        found = (
            FileInfo(path=metadata.path, bytes=metadata.size_in_bytes)
            for metadata in result.metadata_list
            if not os.path.isdir(metadata.path)
        )
        return sorted(found, key=_path)

    def open(self, path: str) -> BinaryIO:
        """Opens a file's bytes as they are; nothing is decompressed."""
        filesystems = _filesystems(path)
        stream: BinaryIO = filesystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        return stream

    def create(self, path: str) -> BinaryIO:
        """Opens a new file for writing, and its folders with it."""
        filesystems = _filesystems(path)
        stream: BinaryIO = filesystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
        return stream

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return bool(_filesystems(path).exists(path) or self.match(f"{path}/**"))

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Moves each file `(source, target)`; a target that exists is replaced."""
        for source, target in moves:
            filesystems = _filesystems(target)
            folder, _, _ = target.rpartition("/")
            with contextlib.suppress(OSError):  # the folder exists, or needs no making
                if folder:
                    filesystems.mkdirs(folder)
            filesystems.rename([source], [target])

    def delete(self, paths: Sequence[str]) -> None:
        """Deletes files, and folders with all they hold; absent ones are no error."""
        present = self._present(paths)
        while present:
            try:
                FileSystems.delete(present)
                return
            except BeamIOError:  # another run may have been first with some
                left = self._present(present)
                if len(left) == len(present):
                    raise
                present = left

    def _present(self, paths: Iterable[str]) -> list[str]:
        """Those paths that exist, and of a folder in an object store the files."""
        present = []
        for path in paths:
            if _filesystems(path).exists(path):
                present.append(path)
            else:  # an object store knows no folders, only files whose names begin alike
                present += [info.path for info in self.match(f"{path}/**")]
        return present

    def digest(self, path: str) -> str:
        """SHA-256 of a local file; on other filesystems the checksum that they keep."""
        if FileSystems.get_scheme(path) is not None:
            return str(_filesystems(path).checksum(path))
        digest = hashlib.sha256()
        with self.open(path) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def size(self, path: str) -> int:
        """The file's size in bytes."""
        [result] = _filesystems(path).match([path])
        return int(result.metadata_list[0].size_in_bytes)


def _filesystems(path: str) -> type[FileSystems]:
    """Beam's filesystems, with that of `gs://`, which a short start leaves out."""
    if path.startswith("gs://"):
        importlib.import_module("apache_beam.io.gcp.gcsfilesystem")
    return FileSystems


def _path(info: FileInfo) -> str:
    return info.path
