"""Files on any filesystem that Beam knows: local disks, `gs://` and others."""

import contextlib
import functools
import hashlib
import importlib
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from typing_extensions import override

from model.config import ConfigError
from pipeline.storage.files import FileInfo, Files, read_chunks
from pipeline.storage.folders import is_local
from pipeline.storage.local_files import open_local

# The extra of apache-beam that has the filesystem of a scheme.
_EXTRAS = {"gs": "gcp", "s3": "aws", "hdfs": "hadoop", "azfs": "azure"}


class BeamFiles(Files):
    """`Files` over `apache_beam.io.filesystems`."""

    @override
    def match(self, pattern: str) -> list[FileInfo]:
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

    @override
    def open(self, path: str) -> BinaryIO:
        if is_local(path):
            return open_local(path)  # Beam's way takes three times as long for a small file
        filesystems = _filesystems(path)
        stream: BinaryIO = filesystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        return stream

    @override
    def create(self, path: str) -> BinaryIO:
        if is_local(path) and not path.startswith("/dev/"):  # such as /dev/stdout
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            return open_local(path, new=True)
        filesystems = _filesystems(path)
        stream: BinaryIO = filesystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
        return stream

    @override
    def exists(self, path: str) -> bool:
        return bool(_filesystems(path).exists(path) or self.match(f"{path}/**"))

    @override
    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for source, target in moves:
            filesystems = _filesystems(target)
            folder, _, _ = target.rpartition("/")
            with contextlib.suppress(OSError):  # it exists already, or the store has no folders
                if folder:
                    filesystems.mkdirs(folder)
            filesystems.rename([source], [target])

    @override
    def delete(self, paths: Sequence[str]) -> None:
        present = self._present(paths)
        while present:
            try:
                FileSystems.delete(present)
                return
            except BeamIOError:  # another run may have deleted some of them first
                left = self._present(present)
                if len(left) == len(present):
                    raise
                present = left

    def _present(self, paths: Iterable[str]) -> list[str]:
        """Those paths that exist; for a folder in an object store, its files."""
        present = []
        for path in paths:
            if _filesystems(path).exists(path):
                present.append(path)
            else:  # an object store has no folders, only files with a common prefix
                present += [info.path for info in self.match(f"{path}/**")]
        return present

    @override
    def digest(self, path: str) -> str:
        if FileSystems.get_scheme(path) is not None:
            return str(_filesystems(path).checksum(path))
        digest = hashlib.sha256()
        with self.open(path) as stream:
            for chunk in read_chunks(stream):
                digest.update(chunk)
        return digest.hexdigest()

    @override
    def size(self, path: str) -> int:
        [result] = _filesystems(path).match([path])
        return int(result.metadata_list[0].size_in_bytes)


def _filesystems(path: str) -> type[FileSystems]:
    """Beam's filesystems. That of `gs://` is imported here, because `import_beam` leaves it out.

    Raises:
        ConfigError: for a path such as https://.., on a filesystem that Beam does not know.
    """
    scheme, separator, _ = path.partition("://")
    if scheme == "gs" and separator:
        importlib.import_module("apache_beam.io.gcp.gcsfilesystem")
    if separator and not _is_known(scheme):
        extra = _EXTRAS.get(scheme.lower())
        if extra is not None:
            advice = f"Install apache-beam[{extra}]"
        elif scheme.lower() == "file":
            advice = "Write a path on this machine without file://"
        else:
            advice = "Copy the data to one of these first"
        raise ConfigError(
            f"{path}: expected a path on this machine or on a filesystem that Beam knows "
            f"({', '.join(f'{each}://' for each in _EXTRAS)}), got {scheme}://. {advice}."
        )
    return FileSystems


@functools.cache
def _is_known(scheme: str) -> bool:
    try:
        FileSystems.get_filesystem(f"{scheme}://")
    except ValueError:
        return False
    return True


def _path(info: FileInfo) -> str:
    return info.path
