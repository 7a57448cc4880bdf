"""The commit, interrupted after each of its file operations.

A reader that waits for `_SUCCESS` looks at the partition after every operation of every run:
it must see nothing, or the whole of one run.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import ConfigError
from pipeline.nights.commit import (
    SUCCESS,
    Partition,
    final_files,
    publish,
    published_run,
    run_folder,
    staging_folder,
)
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import FileInfo, Files, base_name, join, read_json
from pipeline.storage.staging import stage_files
from tests.pipeline import object_store
from tests.pipeline.nights.commits import (
    CountedFiles,
    KilledError,
    commit,
    only_run,
    run_seen,
    stage,
    unchallenged,
    write_bytes,
)


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


def test_folders_of_a_divided_partition_come_and_go_whole(tmp_path: Path) -> None:
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
