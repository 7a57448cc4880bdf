"""Commits that fail, or whose run is taken for dead: the old partition stays or is restored."""

from collections.abc import Iterable

import pytest

from pipeline.nights.commit import publish
from pipeline.nights.partition import Partition
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import FileInfo, base_name
from tests.pipeline.nights.commits import commit, only_run, read_folder, stage


class FullFiles(BeamFiles):
    """A disk that is full after `room` moves of new files."""

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
def test_a_commit_that_cannot_move_all_files_restores_the_old_partition(
    partition: Partition, room: int
) -> None:
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
    """Stands for the `LeaseError` when another run has the date."""


def test_a_run_suspended_in_its_commit_deletes_nothing_of_its_successor(
    partition: Partition,
) -> None:
    """The run is suspended before it lists the old files, and another run takes the date over."""
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


def test_a_run_that_is_taken_over_deletes_its_new_files(partition: Partition) -> None:
    checks = iter([None, TakenOverError()])

    def check() -> None:
        if error := next(checks, TakenOverError()):
            raise error

    commit(BeamFiles(), partition, "old", sizes=[3])
    staged = stage(partition, "new", sizes=[1])
    with pytest.raises(TakenOverError):
        publish(BeamFiles(), partition, run_id="new", **staged, check=check)
    assert list(read_folder(partition.predictions)) == ["part-old-00000-of-00001.parquet"]
