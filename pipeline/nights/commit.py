"""The commit: how the files of a scoring run become the partition of a date.

A reader that waits for `_SUCCESS` must never see two runs' rows together, a
part of a run, or a leftover of another; and a run killed at any instant must
leave a state that a rerun of the same date repairs. No step relies on an
atomic rename of more than one file.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from model.config import ConfigError
from pipeline.config.sections import require_folder
from pipeline.storage.files import FileInfo, Files, base_name, join, read_json, write_json
from pipeline.storage.manifest import MANIFEST, read_manifest, write_manifest
from pipeline.storage.staging import StagedFile

SUCCESS = "_SUCCESS"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Partition:
    """The folders of one output and date."""

    output: str
    date: str

    def __post_init__(self) -> None:
        try:
            require_folder(self.output, "output")
        except ValueError as error:
            raise ConfigError(f"{error}. Choose another folder.") from None

    @property
    def predictions(self) -> str:
        """Where the date's predictions lie."""
        return join(self.output, "predictions", f"dt={self.date}")

    @property
    def rejected(self) -> str:
        """Where the date's rejections lie."""
        return join(self.output, "rejected", f"dt={self.date}")

    def claim(self, run_id: str) -> str:
        """Where a run says that it works on the date, while it does."""
        return join(self.output, "leases", f"dt={self.date}.{run_id}.json")

    def run_of_claim(self, path: str) -> str:
        """The run that a claim's path names."""
        return base_name(path).removeprefix(f"dt={self.date}.").removesuffix(".json")


def run_folder(output: str, run_id: str) -> str:
    """Where a scoring run keeps its manifest, its report and, until the commit, its rows."""
    return join(output, "runs", run_id)


def staging_folder(output: str, run_id: str) -> str:
    """Where a scoring run writes before it commits."""
    return join(run_folder(output, run_id), "staging")


def final_files(folder: str, staged: Sequence[StagedFile], *, run_id: str) -> list[StagedFile]:
    """Where a run's staged files come to lie in a folder of its date."""
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


def publish(
    files: Files,
    partition: Partition,
    *,
    run_id: str,
    predictions: Sequence[StagedFile],
    rejected: Sequence[StagedFile],
    check: Callable[[], None],
) -> None:
    """Makes the staged files the partition of their date, and the only ones.

    The order is the contract: all that has to be written is written first, so that a full
    disk changes nothing; `_SUCCESS` goes, so that no reader trusts what follows; the new files
    come in before the old ones leave, so that a crash loses nothing; `_SUCCESS` returns last,
    by the move of one file. Where the new files cannot all come in, the old state returns.

    Args:
        files: where everything lies.
        partition: of the date.
        run_id: becomes part of the files' names.
        predictions: staged files of predictions.
        rejected: staged files of rejections.
        check: raises if the date is no longer this run's; called before each step.
    """
    staging = staging_folder(partition.output, run_id)
    success = join(partition.predictions, SUCCESS)
    published = final_files(partition.predictions, predictions, run_id=run_id)
    rejections = final_files(partition.rejected, rejected, run_id=run_id)
    new = [*published, *rejections]
    staged = [*predictions, *rejected]
    write_json(files, join(staging, SUCCESS), _describe(run_id, published))
    check()
    old_success = join(staging, f"{SUCCESS}.old")
    files.move([(info.path, old_success) for info in files.match(success)])
    try:
        check()
        files.move((old.path, file.path) for old, file in zip(staged, new, strict=True))
    except (Exception, KeyboardInterrupt):
        with contextlib.suppress(Exception):  # the error that came first is the news
            files.delete([file.path for file in new])
            check()
            files.move([(info.path, success) for info in files.match(old_success)])
        raise
    # Listed before the check: what another run brings after it has taken over is not in the list.
    others = [
        *_others(files, partition.predictions, keep=published),
        *_others(files, partition.rejected, keep=rejections),
    ]
    check()
    files.delete(others)
    emptied = {path.rsplit("/", 1)[0] for path in others}
    emptied -= {partition.predictions, partition.rejected}
    files.delete([folder for folder in sorted(emptied) if not files.match(join(folder, "**"))])
    check()
    files.move([(join(staging, SUCCESS), success)])


def _describe(run_id: str, published: Sequence[StagedFile]) -> dict[str, Any]:
    """What `_SUCCESS` says."""
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


def _others(files: Files, folder: str, *, keep: Sequence[StagedFile]) -> list[str]:
    """The files of a folder that are not among those to keep."""
    start = len(folder.rstrip("/")) + 1
    kept = {file.path[start:] for file in keep}
    return [info.path for info in files.match(join(folder, "**")) if info.path[start:] not in kept]


def published_run(files: Files, partition: Partition) -> str | None:
    """The run whose rows are the partition; None unless every file of it is there."""
    success = join(partition.predictions, SUCCESS)
    if not files.match(success):
        return None
    try:
        described = read_json(files, success)
        listed = {(item["file"], item["bytes"]) for item in described["files"]}
        run_id = str(described["run_id"])
    except (ValueError, TypeError, KeyError):  # damaged, or of another tool
        return None
    start = len(success) - len(SUCCESS)
    present = {
        (info.path[start:], info.bytes) for info in files.match(join(partition.predictions, "**"))
    }
    return run_id if listed <= present else None


def sweep_dead_runs(files: Files, partition: Partition, *, dead: Sequence[str]) -> None:
    """Removes what earlier runs of a date left when they died or failed.

    Only the holder of the date's lease may call this: no other run of it is alive.

    Args:
        files: where everything lies.
        partition: of the date.
        dead: runs known to have been killed, whatever they left.
    """
    runs = join(partition.output, "runs")
    staged = {_run_of(info, runs) for info in files.match(join(runs, "*", "staging", "**"))}
    unfinished = {_run_of(info, runs) for info in files.match(join(runs, "*", f"{MANIFEST}.new"))}
    for run_id in sorted({*staged, *unfinished, *dead}):
        folder = run_folder(partition.output, run_id)
        manifest = read_manifest(files, folder)
        is_ours = run_id in dead or manifest.get("date") == partition.date
        if not is_ours and not _never_began(files, partition.output, run_id):
            continue
        # What a run is found by goes last: this sweep may be killed too.
        files.delete([join(folder, f"{MANIFEST}.new")])
        if manifest.get("status") == "running":
            done = published_run(files, partition) == run_id
            ended = {"status": "done"} if done else {"status": "failed", "error": "it was killed"}
            write_manifest(files, join(folder, MANIFEST), {**manifest, **ended})
        files.delete([staging_folder(partition.output, run_id)])


def _run_of(info: FileInfo, runs: str) -> str:
    return info.path[len(runs) + 1 :].split("/")[0]


def _never_began(files: Files, output: str, run_id: str) -> bool:
    """Whether a run has no manifest, so that its date is not known, and claims no date."""
    manifest = join(run_folder(output, run_id), MANIFEST)
    return not files.match(manifest) and not files.match(join(output, "leases", f"*.{run_id}.json"))
