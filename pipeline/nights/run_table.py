"""The table of all scoring runs of an output, which `limelight runs` prints."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from pipeline.nights.claim import read_claim
from pipeline.nights.history import published_run
from pipeline.nights.partition import Partition
from pipeline.storage.files import Files, base_name, join
from pipeline.storage.manifest import MANIFEST, read_manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run in the table; a count is None if its manifest does not hold it.

    Attributes:
        status: as in the manifest. `killed` if the manifest says `running` but the run no longer
            runs; `done` if such a run has published its date; `unreadable` if the manifest
            cannot be read or has no status.
        broken: how many input files could not be read to their end.
        drift: the largest PSI and its measure, with ` !` if any PSI is above its limit; empty if
            drift was not measured.
    """

    run_id: str
    date: str
    started: str
    status: str
    rows: int | None
    rejected: int | None
    broken: int | None
    documents_per_second: float | None
    model_version: str
    drift: str


def list_runs(files: Files, output: str) -> list[RunSummary]:
    """The scoring runs of an output, newest first."""
    found = files.match(join(output, "runs", "*", MANIFEST))
    folders = [info.path.removesuffix(f"/{MANIFEST}") for info in found]
    summaries = [_summarize(files, output, folder) for folder in folders]
    return sorted(summaries, key=_started, reverse=True)


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
        broken=len(rows.get("broken_files", ())) if rows else None,
        documents_per_second=manifest.get("documents_per_second"),
        model_version=str(manifest.get("model_version", "")),
        drift=_describe_drift(manifest.get("drift")),
    )


def _is_at_work(files: Files, output: str, *, date: str, run_id: str) -> bool:
    """Whether a run has a claim to its date, and its process is not known to have ended."""
    claim = read_claim(files, Partition(output=output, date=date).claim(run_id))
    return claim is not None and claim.owner.is_alive() is not False


def _describe_drift(drift: dict[str, Any] | None) -> str:
    """The largest PSI and its measure, with a mark if any PSI is above its limit."""
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
