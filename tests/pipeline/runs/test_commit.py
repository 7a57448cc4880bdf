"""The commit, interrupted after each of its file operations.

A reader that waits for `_SUCCESS` looks at the partition after every operation of every run:
it must see nothing, or the whole of one run.
"""

import contextlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import ConfigError
from pipeline.runs.commit import (
    SUCCESS,
    Partition,
    final_files,
    publish,
    published_run,
    run_folder,
    staging_folder,
)
from pipeline.runs.files import FileInfo, Files, base_name, join, read_json
from pipeline.runs.staging import StagedFile, stage_files
from pipeline.stages.filesystem import BeamFiles
from tests.pipeline import object_store


class KilledError(BaseException):
    """The process is gone: nothing may catch this."""


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
    """What a run has written before it commits: files of `sizes` rows, and one rejection."""
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
    """What the lease says where no other run is about."""


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
    """The run whose rows a reader sees, or None where it waits; fails at any wrong state."""
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


@pytest.fixture(params=["local", "objects"])
def partition(request: pytest.FixtureRequest, tmp_path: Path) -> Partition:
    object_store.OBJECTS.clear()
    output = str(tmp_path / "out") if request.param == "local" else "objects://bucket/out"
    return Partition(output=output, date="2026-11-20")


def test_a_first_commit_leaves_the_staged_files_and_their_description(
    partition: Partition,
) -> None:
    staged = stage(partition, "one", sizes=[3, 0, 2])
    publish(BeamFiles(), partition, run_id="one", **staged, check=unchallenged)
    only_run(partition, "one", sizes=[3, 0, 2])
    published = final_files(partition.predictions, staged["predictions"], run_id="one")
    assert [file.rows for file in published] == [3, 0, 2]
    for file in published:
        assert BeamFiles().size(file.path) == file.bytes
    success = read_json(BeamFiles(), join(partition.predictions, SUCCESS))
    assert success == {
        "run_id": "one",
        "rows": 5,
        "files": [
            {"file": base_name(file.path), "bytes": file.bytes, "rows": file.rows}
            for file in published
        ],
    }


def test_a_commit_replaces_what_earlier_runs_left(partition: Partition) -> None:
    for run_id, sizes in (("one", [3, 2, 4]), ("two", [1]), ("three", [2, 2])):
        commit(BeamFiles(), partition, run_id, sizes=sizes)
        only_run(partition, run_id, sizes=sizes)


def test_other_dates_are_left_alone(partition: Partition) -> None:
    other = Partition(output=partition.output, date="2026-11-19")
    commit(BeamFiles(), other, "one", sizes=[3])
    commit(BeamFiles(), partition, "two", sizes=[1, 2])
    only_run(other, "one", sizes=[3])
    only_run(partition, "two", sizes=[1, 2])


def test_a_run_without_predictions_leaves_an_empty_partition(partition: Partition) -> None:
    commit(BeamFiles(), partition, "one", sizes=[3])
    commit(BeamFiles(), partition, "two", sizes=[])
    only_run(partition, "two", sizes=[])


def changes_of_a_commit(partition: Partition) -> int:
    """How many changes the second commit of a date makes."""
    commit(BeamFiles(), partition, "one", sizes=[3, 2])
    files = CountedFiles()
    commit(files, partition, "two", sizes=[1, 4])
    return files.changes


def test_a_reader_never_sees_a_wrong_state(partition: Partition) -> None:
    seen: list[str | None] = []
    commit(BeamFiles(), partition, "one", sizes=[3, 2])
    files = CountedFiles(watch=lambda: seen.append(run_seen(partition)))
    commit(files, partition, "two", sizes=[1, 4])
    # The old rows stay while the new `_SUCCESS` is created, written, and the old one copied. The
    # new rows appear with the last copy; what follows is the staged original's delete.
    assert seen == ["one"] * 3 + [None] * (len(seen) - 5) + ["two"] * 2
    assert len(seen) > 10


def test_a_commit_killed_at_any_change_is_repaired_by_a_rerun(partition: Partition) -> None:
    changes = changes_of_a_commit(partition)
    for limit in range(1, changes):
        commit(BeamFiles(), partition, f"old{limit}", sizes=[3, 2])
        with pytest.raises(KilledError):
            commit(CountedFiles(limit=limit), partition, f"dead{limit}", sizes=[1, 4])
        assert run_seen(partition) in (f"old{limit}" if limit < 4 else None, f"dead{limit}")
        watching = CountedFiles(watch=partial(run_seen, partition))
        commit(watching, partition, f"rerun{limit}", sizes=[2])
        only_run(partition, f"rerun{limit}", sizes=[2])


@settings(max_examples=25, deadline=None)
@given(kills=st.lists(st.integers(1, 20), max_size=5), data=st.data())
def test_however_often_it_is_killed_the_last_run_stands_alone(
    tmp_path_factory: pytest.TempPathFactory, kills: list[int], data: st.DataObject
) -> None:
    output = str(tmp_path_factory.mktemp("out"))
    partition = Partition(output=output, date="2026-11-20")
    sizes = st.lists(st.integers(0, 3), max_size=3)
    for number, limit in enumerate(kills):
        files = CountedFiles(limit=limit, watch=partial(run_seen, partition))
        with contextlib.suppress(KilledError):
            commit(files, partition, f"run{number}", sizes=data.draw(sizes))
        run_seen(partition)
    last = data.draw(sizes)
    commit(BeamFiles(), partition, "last", sizes=last)
    only_run(partition, "last", sizes=last)


class FullFiles(BeamFiles):
    """Takes `room` moves of files of predictions or rejections, and no more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for source, target in moves:
            if base_name(target).startswith("part-new"):
                if self.room == 0:
                    raise OSError(28, "No space left on device")
                self.room -= 1
            super().move([(source, target)])


@pytest.mark.parametrize("room", range(4))
def test_new_files_that_cannot_come_in_leave_the_old_state(partition: Partition, room: int) -> None:
    commit(BeamFiles(), partition, "old", sizes=[3, 2])
    if room < 3:
        with pytest.raises(OSError, match="No space left"):
            commit(FullFiles(room), partition, "new", sizes=[1, 4])
        only_run(partition, "old", sizes=[3, 2])
    else:
        commit(FullFiles(room), partition, "new", sizes=[1, 4])
        only_run(partition, "new", sizes=[1, 4])


def test_a_first_commit_that_fails_leaves_nothing(partition: Partition) -> None:
    with pytest.raises(OSError, match="No space left"):
        commit(FullFiles(2), partition, "new", sizes=[1, 4])
    assert read_folder(partition.predictions) == read_folder(partition.rejected) == {}


class TakenOverError(Exception):
    """What the lease says when another run has the date."""


def test_a_run_that_wakes_up_in_its_commit_takes_nothing_from_its_successor(
    partition: Partition,
) -> None:
    """The run stops before it looks for earlier rows, for long enough to be taken for dead."""
    taken_over = False

    class SleepyFiles(BeamFiles):
        def match(self, pattern: str) -> list[FileInfo]:
            nonlocal taken_over
            if pattern.endswith("dt=2026-11-20/**") and not taken_over:
                taken_over = True
                commit(BeamFiles(), partition, "successor", sizes=[2, 2])
            return super().match(pattern)

    def check() -> None:
        if taken_over:
            raise TakenOverError

    commit(BeamFiles(), partition, "old", sizes=[3])
    staged = stage(partition, "sleepy", sizes=[1, 4])
    with pytest.raises(TakenOverError):
        publish(SleepyFiles(), partition, run_id="sleepy", **staged, check=check)
    only_run(partition, "successor", sizes=[2, 2])


def test_a_run_that_is_taken_over_withdraws_its_files(partition: Partition) -> None:
    checks = iter([None, TakenOverError()])

    def check() -> None:
        if error := next(checks, TakenOverError()):
            raise error

    commit(BeamFiles(), partition, "old", sizes=[3])
    staged = stage(partition, "new", sizes=[1])
    with pytest.raises(TakenOverError):
        publish(BeamFiles(), partition, run_id="new", **staged, check=check)
    assert list(read_folder(partition.predictions)) == ["part-old-00000-of-00001.parquet"]


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"run_id": "old"}', '{"files": [1]}'])
def test_a_damaged_description_is_no_partition(partition: Partition, damaged: str) -> None:
    commit(BeamFiles(), partition, "old", sizes=[3])
    assert published_run(BeamFiles(), partition) == "old"
    write_bytes(join(partition.predictions, SUCCESS), damaged.encode())
    assert published_run(BeamFiles(), partition) is None


def test_a_real_kill_of_a_local_move_loses_nothing(tmp_path: Path) -> None:
    """`BeamFiles.move` itself replaces its target and leaves no copy behind."""
    files = BeamFiles()
    for content in (b"old", b"new"):
        write_bytes(str(tmp_path / "staged"), content)
        files.move([(str(tmp_path / "staged"), str(tmp_path / "deep/target"))])
        assert (tmp_path / "deep/target").read_bytes() == content
        assert not (tmp_path / "staged").exists()


@pytest.mark.parametrize("output", ["", "out*", "out?", "out[1]"])
def test_an_output_that_is_a_glob_is_refused(output: str) -> None:
    with pytest.raises(ConfigError, match=r"^output: expected a folder's path "):
        Partition(output=output, date="2026-11-20")


def test_folders_of_a_run_lie_below_its_output() -> None:
    partition = Partition(output="out/", date="2026-11-20")
    assert partition.predictions == "out/predictions/dt=2026-11-20"
    assert partition.rejected == "out/rejected/dt=2026-11-20"
    assert run_folder("out", "id") == "out/runs/id"
    assert staging_folder("out", "id") == "out/runs/id/staging"


def test_staging_joins_local_files_into_one(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b""), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in "abc"]
    staged = stage_files(BeamFiles(), paths, path=str(tmp_path / "new/joined"), rows=7)
    assert (tmp_path / "new/joined").read_bytes() == b"onetwo"
    assert (staged.bytes, staged.rows) == (6, 7)
    assert BeamFiles().match(staged.path) == [FileInfo(path=staged.path, bytes=6)]
    assert staged.sha256 == BeamFiles().digest(staged.path)
    assert staged.as_output() == {
        "file": staged.path,
        "bytes": 6,
        "rows": 7,
        "sha256": staged.sha256,
    }
