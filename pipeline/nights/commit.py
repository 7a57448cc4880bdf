"""The commit: moves the files of a scoring run into the partition of a date, writes `_SUCCESS`.

A reader that waits for `_SUCCESS` must never see the rows of two runs together, a part of a run,
or files that another run left. A run may be killed at any moment; a rerun of the same date must
then repair the partition. No step relies on an atomic rename of more than one file.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.nights.partition import SUCCESS, Partition, staging_folder
from pipeline.storage.files import Files, base_name, join, write_json
from pipeline.storage.staging import StagedFile


def publish(
    files: Files,
    partition: Partition,
    *,
    run_id: str,
    predictions: Sequence[StagedFile],
    rejected: Sequence[StagedFile],
    check: Callable[[], None],
) -> None:
    """Makes the staged files the partition of their date, and removes all others from it.

    Readers are safe because of the order of the steps:

    1. The new `_SUCCESS` is written to the staging folder. If the disk is full, this step fails and
       the partition is unchanged.
    2. The old `_SUCCESS` is moved away. From now on readers see that the partition is incomplete.
    3. The new files are moved in, before the old ones are deleted, so that a kill loses nothing.
       If a move fails, the new files are deleted and the old `_SUCCESS` is moved back.
    4. The files of earlier runs are deleted.
    5. The new `_SUCCESS` is moved in. It is one file, so a reader sees all of it or nothing.

    Args:
        files: the filesystem of the output.
        partition: the partition of the date.
        run_id: becomes part of the names of the files.
        predictions: staged files of predictions.
        rejected: staged files of rejections.
        check: raises if another run has taken over the date; called before each step.
    """
    staging = staging_folder(partition.output, run_id)
    new_success, old_success = join(staging, SUCCESS), join(staging, f"{SUCCESS}.old")
    published = final_files(partition.predictions, predictions, run_id=run_id)
    rejections = final_files(partition.rejected, rejected, run_id=run_id)
    moves = [
        (old.path, new.path)
        for old, new in zip([*predictions, *rejected], [*published, *rejections], strict=True)
    ]
    write_json(files, new_success, _describe(run_id, published))
    check()
    files.move([(info.path, old_success) for info in files.match(partition.success)])
    try:
        check()
        files.move(moves)
    except (Exception, KeyboardInterrupt):
        # Raise the first error: it explains the failure; a second one during the clean-up does not.
        with contextlib.suppress(Exception):
            files.delete([target for _, target in moves])
            check()
            files.move([(info.path, partition.success) for info in files.match(old_success)])
        raise
    _delete_earlier_runs(files, partition, published, rejections, check=check)
    check()
    files.move([(new_success, partition.success)])


def final_files(folder: str, staged: Sequence[StagedFile], *, run_id: str) -> list[StagedFile]:
    """The staged files, with the paths that they get in the folder of their date."""
    total = len(staged)
    return [
        dataclasses.replace(
            file,
            path=join(
                folder,
                *filter(None, [file.subfolder]),
                f"part-{run_id}-{index:05d}-of-{total:05d}.parquet",
            ),
        )
        for index, file in enumerate(staged)
    ]


def _describe(run_id: str, published: Sequence[StagedFile]) -> dict[str, Any]:
    """The content of `_SUCCESS`."""
    return {
        "run_id": run_id,
        "rows": sum(file.rows for file in published),
        "files": [
            {
                "file": join(*filter(None, [file.subfolder, base_name(file.path)])),
                "bytes": file.bytes,
                "rows": file.rows,
            }
            for file in published
        ],
    }


def _delete_earlier_runs(
    files: Files,
    partition: Partition,
    published: Sequence[StagedFile],
    rejections: Sequence[StagedFile],
    *,
    check: Callable[[], None],
) -> None:
    """Deletes the files of the date that other runs wrote, and the folders that become empty."""
    # The files are listed before the check: if another run takes over the date after the check, its
    # files are not in the list.
    others = [
        *_others(files, partition.predictions, keep=published),
        *_others(files, partition.rejected, keep=rejections),
    ]
    check()
    files.delete(others)
    emptied = {path.rsplit("/", 1)[0] for path in others}
    emptied -= {partition.predictions, partition.rejected}
    files.delete([folder for folder in sorted(emptied) if not files.match(join(folder, "**"))])


def _others(files: Files, folder: str, *, keep: Sequence[StagedFile]) -> list[str]:
    """The files of a folder that are not among those to keep."""
    start = len(folder.rstrip("/")) + 1
    kept = {file.path[start:] for file in keep}
    return [info.path for info in files.match(join(folder, "**")) if info.path[start:] not in kept]
