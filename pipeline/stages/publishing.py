"""Publishing: a date owned, its old leftovers swept, a finished run checked and committed."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Literal

from model.bundle import Bundle
from model.config import ConfigError
from pipeline.config import Config
from pipeline.corpora.accounting import rejected_fraction
from pipeline.logs import conclude, describe_run
from pipeline.reports.collect import collect_run_report
from pipeline.reports.run_report import render_run_report
from pipeline.runs.commit import (
    Partition,
    publish,
    published_run,
    run_folder,
    staging_folder,
    sweep_dead_runs,
)
from pipeline.runs.files import Files, join, write_text
from pipeline.runs.lease import Lease, hold_lease
from pipeline.runs.manifest import Manifest, one_line
from pipeline.stages.drift import measure_drift
from pipeline.stages.running import RunError
from pipeline.transforms.list_files import read_list

logger = logging.getLogger("limelight")

IfExists = Literal["replace", "skip", "fail"]


@contextlib.contextmanager
def own_date(files: Files, partition: Partition, *, run_id: str) -> Iterator[Lease]:
    """Excludes other runs of the date and clears what dead ones left.

    Raises:
        ConfigError: if the output cannot be written.
        LeaseError: if a living run has the date.
    """
    with contextlib.ExitStack() as stack:
        try:
            lease = stack.enter_context(hold_lease(files, partition, run_id=run_id))
        except OSError as error:
            raise ConfigError(
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
    """
    with concluding(run), run.recorded(files, folder):
        try:
            yield
        except BaseException:
            with contextlib.suppress(Exception):  # the error that came first is the news
                staged = files.match(join(folder, "staging", "**"))
                rejected = join(folder, "staging", "rejected") + "/"
                files.delete([info.path for info in staged if not info.path.startswith(rejected)])
            raise


@contextlib.contextmanager
def concluding(run: Manifest) -> Iterator[None]:
    """Tells the log's last line how the run ended, whichever way."""
    try:
        yield
    finally:
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
        RunError: if rows are missing, too many were rejected, or the corpus drifted and
            `drift.on_drift` is `block`; nothing is published.
    """
    staging = staging_folder(partition.output, run.run_id)
    predictions = read_list(files, join(staging, "predictions.json"))
    check_rows(run, config, written=sum(file.rows for file in predictions), staging=staging)
    drift = measure_drift(run, config.drift, bundle, partition=partition, files=files)
    run.extra = {**run.extra, "drift": drift}
    if drift["warnings"] and config.drift.on_drift == "block":
        raise RunError(f"Nothing was published (drift.on_drift): {' '.join(drift['warnings'])}")
    published = publish(
        files,
        partition,
        run_id=run.run_id,
        predictions=predictions,
        rejected=read_list(files, join(staging, "rejected.json")),
        check=lease.check,
    )
    run.outputs = [file.as_output() for file in published]
    run.finish("done")
    folder = run_folder(partition.output, run.run_id)
    run.write(files, folder)
    try:
        report = collect_run_report(files, staging, manifest=run.as_dict())
        write_text(files, join(folder, "report.html"), render_run_report(report))
    except Exception as error:  # The rows are published; a page that fails must not deny it.
        run.extra = {**run.extra, "error": f"report.html was not written: {one_line(error)}"}
        run.write(files, folder)
        logger.warning("warning: %s", run.extra["error"])
    files.delete([staging])


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
