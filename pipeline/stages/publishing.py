"""Publishing: a date owned, its old leftovers swept, a finished run checked and committed."""

import contextlib
import errno
import logging
from collections.abc import Iterator, Sequence
from typing import Literal

from model.bundle.bundle import Bundle
from model.config import ConfigError
from pipeline.config.sections import Config
from pipeline.corpora.reading.accounting import rejected_fraction
from pipeline.nights.commit import (
    Partition,
    final_files,
    publish,
    published_run,
    run_folder,
    staging_folder,
    sweep_dead_runs,
)
from pipeline.nights.drift import measure_drift
from pipeline.nights.lease import Lease, hold_lease
from pipeline.process import signals
from pipeline.process.logs import conclude, describe_run
from pipeline.reports.collect import collect_run_report
from pipeline.reports.run_report import render_run_report
from pipeline.runners.execution import RunError
from pipeline.storage.files import Files, join, write_text
from pipeline.storage.manifest import MANIFEST, Manifest, one_line
from pipeline.storage.staging import StagedFile
from pipeline.transforms.list_files import read_list

logger = logging.getLogger("limelight")

PREDICTIONS, REJECTED = "predictions.json", "rejected.json"  # what is staged, by name

PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT)

IfExists = Literal["replace", "skip", "fail"]


@contextlib.contextmanager
def own_date(files: Files, partition: Partition, *, run_id: str) -> Iterator[Lease]:
    """Excludes other runs of the date and clears what dead ones left.

    Raises:
        ConfigError: if the output cannot be written.
        RunError: if it cannot be written for now.
        LeaseError: if a living run has the date.
    """
    with contextlib.ExitStack() as stack:
        try:
            lease = stack.enter_context(hold_lease(files, partition, run_id=run_id))
        except OSError as error:
            # A full disk may have room by the next try; a wrong folder stays wrong.
            kind = RunError if error.errno in PASSING else ConfigError
            raise kind(
                f"{partition.output}: expected an output folder that can be written, got "
                f"{one_line(error)}. Give --output another folder, or mend this one."
            ) from error
        sweep_dead_runs(files, partition, dead=lease.outlasted)
        yield lease


def find_published(files: Files, partition: Partition, *, if_exists: IfExists) -> str | None:
    """The run for whose sake the date is to be skipped, if any.

    Raises:
        RunError: if the partition is complete and `if_exists` is `fail`.
    """
    if if_exists == "replace":
        return None
    before = published_run(files, partition)
    if before is not None and if_exists == "fail":
        raise RunError(
            f"{partition.predictions}: expected no complete partition, got that of run {before} "
            "(--if-exists fail). Pass --if-exists replace to score the date again."
        )
    return before


@contextlib.contextmanager
def recorded(run: Manifest, *, files: Files, folder: str) -> Iterator[None]:
    """Keeps the manifest true however the block ends; a failed run keeps only its rejections.

    What is staged goes before the manifest is written: the disk may be full.

    Raises:
        RunError: in place of an `OSError`.
    """
    try:
        with run.recorded(files, folder):
            try:
                yield
            except BaseException:
                run.outputs = ()
                with contextlib.suppress(Exception):  # the error that came first is the news
                    _clear_failed(files, join(folder, "staging"))
                raise
    except OSError as error:
        raise RunError(
            f"nothing was published: {one_line(error)}. Mend this and run again."
        ) from error


def _clear_failed(files: Files, staging: str) -> None:
    """Deletes all that is staged but the rejections that were named: a retry leaves others."""
    named: set[str] = set()
    with contextlib.suppress(Exception):  # the list is not there, or a full disk cut it short
        named = {file.path for file in read_list(files, join(staging, REJECTED))}
    staged = {info.path for info in files.match(join(staging, "**"))}
    files.delete(sorted(staged - named))


@contextlib.contextmanager
def concluding(run: Manifest) -> Iterator[None]:
    """Tells the log's last line how the run ended, also where it ended before it began."""
    try:
        yield
    except BaseException as error:
        if run.status == "running":
            run.finish("failed")
            run.extra = {**run.extra, "error": one_line(error)}
        raise
    finally:
        if run.status != "running":  # else there was nothing to do
            conclude(run.run_id, describe_run(run.as_dict()))


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
    staging = staging_folder(partition.output, run.run_id)
    predictions = read_list(files, join(staging, PREDICTIONS))
    check_rows(run, config, written=sum(file.rows for file in predictions), staging=staging)
    rejected = read_list(files, join(staging, REJECTED))
    check_staged(files, staging, [*predictions, *rejected])
    drift = measure_drift(run, config.drift, bundle, partition=partition, files=files)
    run.extra = {**run.extra, "drift": drift}
    if drift["warnings"] and config.drift.on_drift == "block":
        raise RunError(f"Nothing was published (drift.on_drift): {' '.join(drift['warnings'])}")
    final = final_files(partition.predictions, predictions, run_id=run.run_id)
    run.outputs = [file.as_output() for file in final]
    folder = run_folder(partition.output, run.run_id)
    signals.check()
    try:
        # Before the commit: who finds a published run that was killed needs all that it counted.
        run.write(files, folder)
        publish(
            files,
            partition,
            run_id=run.run_id,
            predictions=predictions,
            rejected=rejected,
            check=lease.check,
        )
    except KeyboardInterrupt:  # it may have come with the last step
        if published_run(files, partition) == run.run_id:
            run.finish("done")
        raise
    run.finish("done")
    _describe(run, files=files, folder=folder, staging=staging)


def _describe(run: Manifest, *, files: Files, folder: str, staging: str) -> None:
    """Writes the manifest and the page of a published run; a failure must not deny the rows."""
    unwritten = MANIFEST
    try:
        run.write(files, folder)
        unwritten = "report.html"
        report = collect_run_report(files, staging, manifest=run.as_dict())
        write_text(files, join(folder, unwritten), render_run_report(report))
        unwritten = ""
        files.delete([staging])
    except Exception as error:
        what = f"{unwritten} was not written" if unwritten else f"{staging} was not deleted"
        run.extra = {**run.extra, "error": f"{what}: {one_line(error)}"}
        logger.warning("warning: %s", run.extra["error"])
        with contextlib.suppress(Exception):
            files.delete([staging])  # there may be room then
            run.write(files, folder)


def check_staged(files: Files, staging: str, staged: Sequence[StagedFile]) -> None:
    """Raises unless every staged file is there as it was written."""
    start = len(staging) + 1
    present = {info.path[start:]: info.bytes for info in files.match(join(staging, "**"))}
    for file in staged:
        found = present.get(file.path[start:])
        if found != file.bytes:
            raise RunError(
                f"Nothing was published: {file.path}: expected the {file.bytes:,} bytes that were "
                f"written, got {'no file' if found is None else f'{found:,}'}. Run again; if it "
                "happens twice, find out what else changes this folder."
            )


def check_rows(run: Manifest, config: Config, *, written: int, staging: str) -> None:
    """Raises unless the run read something and answered every row of it."""
    if run.rows["read"] == 0:
        raise ConfigError(
            f"Nothing was published: {run.inputs[0]['file']}: expected rows, got none in "
            f"{len(run.inputs):,} input files. Check that the corpus of the date is complete."
        )
    expected = run.rows["used"] - run.extra["below_min_score"]
    if written != expected:
        raise RunError(
            f"Nothing was published: expected {expected:,} rows in the predictions files, "
            f"got {written:,}. Run again, and report this if it happens twice."
        )
    fraction = rejected_fraction(run.rows)
    if fraction > config.corpus.max_rejected_fraction:
        raise RunError(
            f"Nothing was published: {fraction:.2%} of the rows were rejected, expected at most "
            f"{config.corpus.max_rejected_fraction:.2%} (corpus.max_rejected_fraction). "
            f"Read the rejections in {join(staging, 'rejected')}."
        )
