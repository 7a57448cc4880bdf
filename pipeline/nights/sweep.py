"""The sweep: before a run starts, it removes the files of runs that were killed or failed."""

from collections.abc import Sequence

from pipeline.nights.history import published_run
from pipeline.nights.partition import Partition, run_folder, staging_folder
from pipeline.storage.files import FileInfo, Files, join
from pipeline.storage.manifest import MANIFEST, read_manifest, write_manifest


def sweep_dead_runs(files: Files, partition: Partition, *, dead: Sequence[str]) -> None:
    """Removes the staged files of dead runs of a date, and corrects their manifests.

    Only the run that holds the lease of the date may call this: no other run of the date is then
    alive.

    Args:
        files: the filesystem of the output.
        partition: the partition of the date.
        dead: runs known to have been killed; they are swept even if their date is not known.
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
        # This sweep may be killed too. The staged files, by which the next sweep finds the run,
        # are therefore deleted last.
        files.delete([join(folder, f"{MANIFEST}.new")])
        if manifest.get("status") == "running":
            done = published_run(files, partition) == run_id
            ended = {"status": "done"} if done else {"status": "failed", "error": "it was killed"}
            write_manifest(files, join(folder, MANIFEST), {**manifest, **ended})
        files.delete([staging_folder(partition.output, run_id)])


def _run_of(info: FileInfo, runs: str) -> str:
    return info.path[len(runs) + 1 :].split("/")[0]


def _never_began(files: Files, output: str, run_id: str) -> bool:
    """Whether a run has no claim and no manifest, from which its date would be known."""
    manifest = join(run_folder(output, run_id), MANIFEST)
    return not files.match(manifest) and not files.match(join(output, "leases", f"*.{run_id}.json"))
