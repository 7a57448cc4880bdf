"""Publishing a scoring run: check it, compare it with earlier data, commit it, write its page."""

import contextlib
import logging

from model.bundle.bundle import Bundle
from pipeline.config.sections import Config
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.nights.commit import final_files, publish
from pipeline.nights.drift import measure_drift
from pipeline.nights.history import published_run
from pipeline.nights.lease import Lease
from pipeline.nights.partition import Partition, run_folder, staging_folder
from pipeline.process import signals
from pipeline.reports.collect import collect_run_report
from pipeline.reports.run_report import render_run_report
from pipeline.stages.run_checks import check_drift, check_run_rows, check_staged
from pipeline.storage.files import Files, join, write_text
from pipeline.storage.manifest import MANIFEST, Manifest, one_line
from pipeline.storage.staged_lists import read_staged_list

logger = logging.getLogger("limelight")


def publish_run(
    run: Manifest,
    config: Config,
    bundle: Bundle,
    *,
    partition: Partition,
    lease: Lease,
    files: Files,
) -> None:
    """Checks that every row is answered, compares with earlier data, and commits.

    Raises:
        ConfigError: if there was no row at all.
        LeaseError: if another run took the date over.
        OSError: if the output cannot be written.
        RunError: if rows are missing, too many were rejected, or the corpus drifted and
            `drift.on_drift` is `block`; nothing is published.
    """
    staging = ScoringStaging(folder=staging_folder(partition.output, run.run_id))
    predictions = read_staged_list(files, staging.predictions_list)
    rejected = read_staged_list(files, staging.rejected_list)
    check_run_rows(run, config, written=sum(file.rows for file in predictions), staging=staging)
    check_staged(files, staging.folder, [*predictions, *rejected])
    drift = measure_drift(run, config.drift, bundle, partition=partition, files=files)
    run.extra = {**run.extra, "drift": drift}
    check_drift(config.drift, drift["warnings"])
    final = final_files(partition.predictions, predictions, run_id=run.run_id)
    run.outputs = [file.as_output() for file in final]
    folder = run_folder(partition.output, run.run_id)
    signals.check()
    try:
        # Written before the commit: if the run is killed right after the commit, its manifest
        # already holds all that it counted.
        run.write(files, folder)
        publish(
            files,
            partition,
            run_id=run.run_id,
            predictions=predictions,
            rejected=rejected,
            check=lease.check,
        )
    except KeyboardInterrupt:  # the last step of the commit may be done already
        if published_run(files, partition) == run.run_id:
            run.finish("done")
        raise
    run.finish("done")
    _describe(run, files=files, folder=folder, staging=staging)


def _describe(run: Manifest, *, files: Files, folder: str, staging: ScoringStaging) -> None:
    """Writes the manifest and the page of a published run, and deletes what is staged.

    The rows are published by now, so an error here is a warning and does not fail the run.
    """
    unwritten = MANIFEST
    try:
        run.write(files, folder)
        unwritten = "report.html"
        report = collect_run_report(files, staging, manifest=run.as_dict())
        write_text(files, join(folder, unwritten), render_run_report(report))
        unwritten = ""
        files.delete([staging.folder])
    except Exception as error:
        what = f"{unwritten} was not written" if unwritten else f"{staging.folder} was not deleted"
        run.extra = {**run.extra, "error": f"{what}: {one_line(error)}"}
        logger.warning("warning: %s", run.extra["error"])
        with contextlib.suppress(Exception):
            files.delete([staging.folder])  # a full disk then has room for the manifest
            run.write(files, folder)
