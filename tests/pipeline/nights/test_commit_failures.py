"""Commits that fail, or whose run is taken for dead: what was there stays or comes back."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.nights.commit import SUCCESS, Partition, publish, published_run
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import FileInfo, base_name, join
from tests.pipeline import object_store
from tests.pipeline.nights.commits import commit, only_run, read_folder, stage, write_bytes


@pytest.fixture(params=["local", "objects"])
def partition(request: pytest.FixtureRequest, tmp_path: Path) -> Partition:
    object_store.OBJECTS.clear()
    output = str(tmp_path / "out") if request.param == "local" else "objects://bucket/out"
    return Partition(output=output, date="2026-11-20")


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
