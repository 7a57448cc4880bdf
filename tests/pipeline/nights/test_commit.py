"""The commit, killed after each of its file operations.

A reader that waits for `_SUCCESS` looks at the partition after every operation of every run. It
must see either no partition or all rows of one run.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.nights.commit import final_files, publish
from pipeline.nights.history import published_run
from pipeline.nights.partition import Partition
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import Files, base_name, read_json
from tests.pipeline.nights.commits import (
    CountedFiles,
    KilledError,
    commit,
    only_run,
    run_seen,
    stage,
    unchallenged,
)


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
    success = read_json(BeamFiles(), partition.success)
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


def test_a_commit_changes_no_other_date(partition: Partition) -> None:
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
    # A reader sees the old rows while the new `_SUCCESS` is created and written and the old one is
    # copied. It sees the new rows after the last copy; the delete of the staged file follows.
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
def test_after_any_number_of_kills_only_the_last_run_is_left(
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


def test_a_commit_replaces_the_folders_of_a_divided_partition(tmp_path: Path) -> None:
    partition = Partition(output=str(tmp_path), date="2026-11-20")

    def commit_divided(files: Files, run_id: str, languages: Sequence[str]) -> None:
        staged = stage(partition, run_id, sizes=[1] * len(languages))
        staged["predictions"] = [
            dataclasses.replace(file, subfolder=f"lang={language}")
            for file, language in zip(staged["predictions"], languages, strict=True)
        ]
        publish(files, partition, run_id=run_id, **staged, check=unchallenged)

    for limit in (*range(5, 40, 3), None):
        commit_divided(BeamFiles(), "old", ["de", "en", "en"])
        with contextlib.suppress(KilledError):
            commit_divided(CountedFiles(limit=limit), "dead", ["en", "fr"])
        commit_divided(BeamFiles(), "new", ["fr", "sv"])
        assert published_run(BeamFiles(), partition) == "new"
        folder = Path(partition.predictions)
        assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*/*")) == [
            "lang=fr/part-new-00000-of-00002.parquet",
            "lang=sv/part-new-00001-of-00002.parquet",
        ]
