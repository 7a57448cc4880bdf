"""What earlier runs left: the published nights of an output, and a table of all runs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from pipeline.nights.commit import SUCCESS, Partition, published_run, run_folder
from pipeline.nights.lease import Claim, read_claim
from pipeline.storage.files import Files, base_name, join
from pipeline.storage.manifest import MANIFEST, read_manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run in a table; a count is None where its manifest does not say."""

    run_id: str
    date: str
    started: str
    status: str
    rows: int | None
    rejected: int | None
    documents_per_second: float | None
    model_version: str
    drift: str


def list_runs(files: Files, output: str) -> list[RunSummary]:
    """The scoring runs of an output, newest first."""
    found = files.match(join(output, "runs", "*", MANIFEST))
    folders = [info.path.removesuffix(f"/{MANIFEST}") for info in found]
    summaries = [_summarize(files, output, folder) for folder in folders]
    return sorted(summaries, key=_started, reverse=True)


def published_before(
    files: Files, partition: Partition, *, nights: int
) -> list[tuple[Partition, str]]:
    """The last complete partitions of earlier dates, newest first, each with its run."""
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
    """The manifests of the last published nights before a date, newest first."""
    return [
        read_manifest(files, run_folder(earlier.output, run_id))
        for earlier, run_id in published_before(files, partition, nights=nights)
    ]


def _summarize(files: Files, output: str, folder: str) -> RunSummary:
    manifest = read_manifest(files, folder)
    run_id = base_name(folder)
    rows = manifest.get("rows") or {}
    date = str(manifest.get("date", ""))
    status = str(manifest.get("status", "unreadable"))
    if status == "running" and not _is_at_work(files, output, date=date, run_id=run_id):
        published = published_run(files, Partition(output=output, date=date))
        status = "done" if published == run_id else "killed"
    return RunSummary(
        run_id=run_id,
        date=date,
        started=str(manifest.get("started", "")),
        status=status,
        rows=rows.get("used"),
        rejected=sum(rows["rejected"].values()) if "rejected" in rows else None,
        documents_per_second=manifest.get("documents_per_second"),
        model_version=str(manifest.get("model_version", "")),
        drift=_describe_drift(manifest.get("drift")),
    )


def _is_at_work(files: Files, output: str, *, date: str, run_id: str) -> bool:
    """Whether a run still claims its date and, where that can be seen, its process is there."""
    claim: Claim | None = read_claim(files, Partition(output=output, date=date).claim(run_id))
    return claim is not None and claim.owner.is_alive() is not False


def _describe_drift(drift: dict[str, Any] | None) -> str:
    """The largest index and its measure, marked where it tripped."""
    differences: Sequence[dict[str, Any]] = (drift or {}).get("differences", ())
    if not differences:
        return ""
    largest = max(differences, key=_psi)
    mark = " !" if any(item["tripped"] for item in differences) else ""
    return f"{largest['psi']:.2f} {largest['measure']}{mark}"


def _psi(difference: dict[str, Any]) -> float:
    return float(difference["psi"])


def _started(summary: RunSummary) -> tuple[str, str]:
    return summary.started, summary.run_id
