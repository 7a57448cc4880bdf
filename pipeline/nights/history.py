"""The published dates of an output: which run published a date, and the dates before it."""

from typing import Any

from pipeline.nights.partition import SUCCESS, Partition, run_folder
from pipeline.storage.files import Files, join, read_json
from pipeline.storage.manifest import read_manifest


def published_run(files: Files, partition: Partition) -> str | None:
    """The run that published a date; None if `_SUCCESS` or a file that it lists is missing."""
    if not files.match(partition.success):
        return None
    try:
        described = read_json(files, partition.success)
        listed = {(item["file"], item["bytes"]) for item in described["files"]}
        run_id = str(described["run_id"])
    except (ValueError, TypeError, KeyError):  # damaged, or written by another tool
        return None
    start = len(partition.success) - len(SUCCESS)
    present = {
        (info.path[start:], info.bytes) for info in files.match(join(partition.predictions, "**"))
    }
    return run_id if listed <= present else None


def published_before(
    files: Files, partition: Partition, *, nights: int
) -> list[tuple[Partition, str]]:
    """The last `nights` complete partitions before a date, newest first, each with its run."""
    found: list[tuple[Partition, str]] = []
    pattern = join(partition.output, "predictions", "dt=*", SUCCESS)
    dates = {info.path.split("/")[-2].removeprefix("dt=") for info in files.match(pattern)}
    for date in sorted((date for date in dates if date < partition.date), reverse=True):
        if len(found) == nights:
            break
        earlier = Partition(output=partition.output, date=date)
        run_id = published_run(files, earlier)
        if run_id is not None:
            found.append((earlier, run_id))
    return found


def published_manifests(files: Files, partition: Partition, *, nights: int) -> list[dict[str, Any]]:
    """The manifests of the last `nights` published dates before a date, newest first."""
    return [
        read_manifest(files, run_folder(earlier.output, run_id))
        for earlier, run_id in published_before(files, partition, nights=nights)
    ]
