"""The commit: how the files of a scoring run become the partition of a date.

A reader that waits for `_SUCCESS` must never see two runs' rows together, a
part of a run, or a leftover of another; and a run killed at any instant must
leave a state that a rerun of the same date repairs. No step relies on an
atomic rename of more than one file.
"""

import dataclasses
from collections.abc import Callable, Sequence

from model.config import ConfigError
from pipeline.config import require_folder
from pipeline.runs.files import Files, base_name, join, read_json, write_json
from pipeline.runs.manifest import MANIFEST, read_manifest, write_manifest
from pipeline.runs.staging import StagedFile

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


def publish(
    files: Files,
    partition: Partition,
    *,
    run_id: str,
    predictions: Sequence[StagedFile],
    rejected: Sequence[StagedFile],
    check: Callable[[], None],
) -> list[StagedFile]:
    """Makes the staged files the partition of their date, and the only ones.

    The order is the contract: `_SUCCESS` goes first, so that no reader trusts
    what follows; the new files come in before the old ones leave, so that a
    crash loses nothing; `_SUCCESS` returns last, by the move of one file.

    Args:
        files: where everything lies.
        partition: of the date.
        run_id: becomes part of the files' names.
        predictions: staged files of predictions.
        rejected: staged files of rejections.
        check: raises if the date is no longer this run's; called before each step.

    Returns:
        The published predictions files, at their final paths.
    """
    success = join(partition.predictions, SUCCESS)
    check()
    files.delete([success])
    check()
    published = _move_in(files, predictions, folder=partition.predictions, run_id=run_id)
    moved_rejections = _move_in(files, rejected, folder=partition.rejected, run_id=run_id)
    check()
    _remove_others(files, partition.predictions, keep=published)
    _remove_others(files, partition.rejected, keep=moved_rejections)
    staged_success = join(staging_folder(partition.output, run_id), SUCCESS)
    write_json(
        files,
        staged_success,
        {
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
        },
    )
    check()
    files.move([(staged_success, success)])
    return published


def published_run(files: Files, partition: Partition) -> str | None:
    """The run whose rows are the partition; None unless every file of it is there."""
    success = join(partition.predictions, SUCCESS)
    if not files.match(success):
        return None
    described = read_json(files, success)
    start = len(success) - len(SUCCESS)
    present = {
        (info.path[start:], info.bytes) for info in files.match(join(partition.predictions, "**"))
    }
    listed = {(item["file"], item["bytes"]) for item in described["files"]}
    return str(described["run_id"]) if listed <= present else None


def sweep_dead_runs(files: Files, partition: Partition, *, dead: Sequence[str]) -> None:
    """Removes what earlier runs of a date left when they died or failed.

    Only the holder of the date's lease may call this: no other run of it is alive.

    Args:
        files: where everything lies.
        partition: of the date.
        dead: runs known to have been killed, whatever they left.
    """
    pattern = join(partition.output, "runs", "*", "staging", "**")
    start = len(pattern.partition("*")[0])
    staged = {info.path[start:].split("/")[0] for info in files.match(pattern)}
    for run_id in sorted({*staged, *dead}):
        folder = run_folder(partition.output, run_id)
        manifest = read_manifest(files, folder)
        if run_id not in dead and manifest.get("date") != partition.date:
            continue
        unfinished = join(folder, f"{MANIFEST}.new")
        files.delete([staging_folder(partition.output, run_id), unfinished])
        if manifest.get("status") == "running":
            done = published_run(files, partition) == run_id
            ended = {"status": "done"} if done else {"status": "failed", "error": "it was killed"}
            write_manifest(files, join(folder, MANIFEST), {**manifest, **ended})


def _move_in(
    files: Files, staged: Sequence[StagedFile], *, folder: str, run_id: str
) -> list[StagedFile]:
    total = len(staged)
    moved = [
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
    files.move((old.path, new.path) for old, new in zip(staged, moved, strict=True))
    return moved


def _remove_others(files: Files, folder: str, *, keep: Sequence[StagedFile]) -> None:
    kept = {base_name(file.path) for file in keep}
    kept_subfolders = {file.subfolder for file in keep}
    start = len(folder.rstrip("/")) + 1
    leftovers = set()
    for info in files.match(join(folder, "**")):
        subfolder, slash, _ = info.path[start:].rpartition("/")
        if slash and subfolder not in kept_subfolders:
            leftovers.add(join(folder, subfolder))  # the folder itself, or it would stay empty
        elif base_name(info.path) not in kept:
            leftovers.add(info.path)
    files.delete(sorted(leftovers))
