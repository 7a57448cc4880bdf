"""Commits of invented files, what a reader sees of them, and a filesystem that can be killed."""

import io
import json
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

from pipeline.nights.commit import publish
from pipeline.nights.partition import SUCCESS, Partition, staging_folder
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import Files, base_name, join
from pipeline.storage.staging import StagedFile


class KilledError(BaseException):
    """Stands for the kill of the process; no code under test catches it."""


class CountedFiles(BeamFiles):
    """Beam's files, one change at a time; after `limit` changes the process is killed.

    A move counts as a copy and a delete, as an object store does it; a file that is
    created counts once when it is there and empty and once when it is written.
    """

    def __init__(self, *, limit: int | None = None, watch: Callable[[], object] | None = None):
        self.limit = limit
        self.watch = watch
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1
        if self.watch is not None:
            self.watch()
        if self.limit is not None and self.changes >= self.limit:
            raise KilledError

    def create(self, path: str) -> BinaryIO:
        write_bytes(path, b"")
        self.changed()
        return _CountedStream(self, path)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for source, target in moves:
            with BeamFiles().open(source) as stream:
                write_bytes(target, stream.read())
            self.changed()
            super().delete([source])
            self.changed()

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            if self.exists(path):
                super().delete([path])
                self.changed()


class _CountedStream(io.BytesIO):
    def __init__(self, files: CountedFiles, path: str) -> None:
        super().__init__()
        self._files = files
        self._path = path

    def close(self) -> None:
        if not self.closed:
            content = self.getvalue()
            super().close()
            write_bytes(self._path, content)
            self._files.changed()


def write_bytes(path: str, content: bytes) -> None:
    with BeamFiles().create(path) as stream:
        stream.write(content)


def stage(
    partition: Partition, run_id: str, *, sizes: Sequence[int]
) -> dict[str, list[StagedFile]]:
    """Writes what a run has before it commits: files of `sizes` rows, and one rejection."""
    staging = staging_folder(partition.output, run_id)
    staged: dict[str, list[StagedFile]] = {}
    for kind, rows_of_files in (("predictions", sizes), ("rejected", [1])):
        staged[kind] = []
        for index, rows in enumerate(rows_of_files):
            path = join(staging, kind, f"{index}.parquet")
            content = f"{run_id}\n".encode() * rows
            write_bytes(path, content)
            staged[kind].append(
                StagedFile(path=path, bytes=len(content), rows=rows, sha256="unused")
            )
    return staged


def unchallenged() -> None:
    """The check of a lease for which no other run contends."""


def commit(files: Files, partition: Partition, run_id: str, *, sizes: Sequence[int]) -> None:
    staged = stage(partition, run_id, sizes=sizes)
    publish(files, partition, run_id=run_id, **staged, check=unchallenged)


def read_folder(folder: str) -> dict[str, bytes]:
    files = BeamFiles()
    found = {}
    for info in files.match(join(folder, "*")):
        with files.open(info.path) as stream:
            found[base_name(info.path)] = stream.read()
    return found


def run_seen(partition: Partition) -> str | None:
    """The run whose rows a reader sees, or None if it has to wait; fails in any wrong state."""
    found = read_folder(partition.predictions)
    if SUCCESS not in found:
        return None
    success = json.loads(found.pop(SUCCESS))
    lines = b"".join(found.values()).decode().splitlines()
    assert set(lines) <= {success["run_id"]}
    assert len(lines) == success["rows"]
    listed = {(item["file"], item["bytes"]) for item in success["files"]}
    assert listed == {(name, len(content)) for name, content in found.items()}
    return str(success["run_id"])


def only_run(partition: Partition, run_id: str, *, sizes: Sequence[int]) -> None:
    """Asserts that the partition is exactly what this run alone would have left."""
    assert run_seen(partition) == run_id
    for folder, rows_of_files in (
        (partition.predictions, sizes),
        (partition.rejected, [1]),
    ):
        found = read_folder(folder)
        found.pop(SUCCESS, None)
        total = len(rows_of_files)
        assert found == {
            f"part-{run_id}-{index:05d}-of-{total:05d}.parquet": f"{run_id}\n".encode() * rows
            for index, rows in enumerate(rows_of_files)
        }
