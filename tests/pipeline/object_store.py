"""A Beam filesystem with an object store's manners, in this process's memory.

There are no folders, only objects whose names hold slashes; a rename is a copy and a delete;
opening what is not there fails at the first read, as `gs://` does, and not with an `OSError`.
"""

import io
from collections.abc import Iterator

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

OBJECTS: dict[str, bytes] = {}


class NotFoundError(Exception):
    """What a cloud's client raises for an object that is not there."""


class _LazyReader(io.BytesIO):
    def __init__(self, path: str) -> None:
        self._path: str | None = path
        super().__init__()

    def read(self, size: int | None = -1) -> bytes:
        if self._path is not None:
            if self._path not in OBJECTS:
                raise NotFoundError(self._path)
            self.write(OBJECTS[self._path])
            self.seek(0)
            self._path = None
        return super().read(size)


class _Writer(io.BytesIO):
    def __init__(self, path: str) -> None:
        self._path = path
        super().__init__()

    def close(self) -> None:
        if not self.closed:
            OBJECTS[self._path] = self.getvalue()
        super().close()


class ObjectStore(FileSystem):
    """Serves `objects://`; importing this module registers it with Beam."""

    @classmethod
    def scheme(cls) -> str:
        return "objects"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        pass

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        for path in sorted(OBJECTS):
            if path.startswith(dir_or_prefix):
                yield self.metadata(path)

    def create(self, path, mime_type=None, compression_type=None) -> io.BytesIO:  # type: ignore[no-untyped-def]
        return _Writer(path)

    def open(self, path, mime_type=None, compression_type=None) -> io.BytesIO:  # type: ignore[no-untyped-def]
        return _LazyReader(path)

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            OBJECTS[target] = OBJECTS[source]

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        self.copy(source_file_names, destination_file_names)
        for source in source_file_names:
            del OBJECTS[source]

    def exists(self, path: str) -> bool:
        return path in OBJECTS

    def size(self, path: str) -> int:
        return len(OBJECTS[path])

    def last_updated(self, path: str) -> float:
        return 0.0

    def checksum(self, path: str) -> str:
        return str(hash(OBJECTS[path]))

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, self.size(path), 0.0)

    def delete(self, paths: list[str]) -> None:
        missing = {path: KeyError(path) for path in paths if path not in OBJECTS}
        if missing:
            raise BeamIOError("delete", missing)
        for path in paths:
            del OBJECTS[path]
