"""score: corpora -> predictions with attention, committed as the partition of a date."""

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model.bundle import Bundle
from model.config import to_plain
from pipeline.config import Config
from pipeline.corpora.accounting import account_files, rejected_fraction, total_rows
from pipeline.corpora.documents import kept_fields
from pipeline.corpora.predictions import PredictionContext
from pipeline.corpora.units import Unit, find_input_files
from pipeline.reports.collect import collect_run_report
from pipeline.reports.run_report import render_run_report
from pipeline.runs import progress
from pipeline.runs.commit import Partition, publish, run_folder, staging_folder
from pipeline.runs.files import Files, join, read_json, write_text
from pipeline.runs.manifest import Manifest, new_run_id
from pipeline.runs.models import open_bundle
from pipeline.schemas import REJECTIONS, predictions_schema
from pipeline.stages.planning import check_inputs, plan_units
from pipeline.stages.running import RunError, running
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles, read_list
from pipeline.transforms.read_documents import ReadDocuments
from pipeline.transforms.score_documents import ScoreDocuments
from pipeline.transforms.show_documents import ShowDocuments
from pipeline.transforms.write_record_batches import WriteRecordBatches


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringRun:
    """A scoring run that was published.

    Attributes:
        partition: the folders of its output and date.
        folder: where its manifest and report lie.
        manifest: as written.
    """

    partition: Partition
    folder: str
    manifest: Mapping[str, Any]


def score(
    config: Config,
    *,
    model: str,
    partition: Partition,
    beam_options: Sequence[str],
    files: Files,
) -> ScoringRun:
    """Scores a corpus and publishes the predictions of a date.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: for missing inputs or columns.
        RunError: if the pipeline fails or too many rows are rejected; nothing is
            published then, and the rejections stay in the run's folder.
    """
    bundle = open_bundle(files, model)
    inputs = find_input_files(files, config.corpus)
    check_inputs(files, inputs, config.corpus)
    run = Manifest(run_id=new_run_id("score"), stage="score", config=to_plain(config))
    folder = run_folder(partition.output, run.run_id)
    staging = staging_folder(partition.output, run.run_id)
    run.extra = {
        "date": partition.date,
        "model": model,
        "model_version": bundle.model_version,
        "rejected": partition.rejected,
    }
    run.write(files, folder)
    units = plan_units(
        inputs, beam_options=beam_options, files=files, scratch=join(staging, "row_counts.json")
    )
    scoring = ScoreDocuments(
        model,
        engine=config.scoring.engine,
        context=PredictionContext(
            model_version=bundle.model_version,
            run_id=run.run_id,
            attention=config.scoring.output.attention == "full",
        ),
        files=files,
    )
    started = time.monotonic()
    with progress.shown("score"), running(beam_options) as root:
        define_scoring(
            root,
            units,
            config,
            scoring=scoring,
            schema=partition_schema(config, bundle),
            staging=staging,
            files=files,
        )
    seconds = time.monotonic() - started

    counts = read_json(files, join(staging, "counts.json"))
    accounts = account_files(counts, inputs)
    run.inputs = accounts
    run.rows = total_rows(accounts, counts)
    run.extra = {
        **run.extra,
        "labels": counts.get("labels", {}),
        "scores": counts.get("scores", {}),
        "seconds": round(seconds, 2),
        "documents_per_second": round(run.rows["used"] / seconds, 1),
    }
    _publish(run, config, partition=partition, folder=folder, files=files)
    return ScoringRun(partition=partition, folder=folder, manifest=run.as_dict())


def define_scoring(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    *,
    scoring: ScoreDocuments,
    schema: pa.Schema,
    staging: str,
    files: Files,
) -> None:
    """Units -> staged Parquet files of predictions and of rejections, a gallery, counts."""
    read = root | "Units" >> beam.Create(units) | "Read" >> ReadDocuments(config.corpus, files)
    scored = read.documents | "Score" >> scoring
    (
        scored.predictions
        | "Write predictions" >> WriteRecordBatches(join(staging, "predictions"), schema, files)
        | "List predictions" >> ListFiles(join(staging, "predictions.json"), files)
    )
    scored.documents | "Show" >> ShowDocuments(join(staging, "gallery.jsonl"), files)
    rejections = (read.rejections, scored.rejections) | "All rejections" >> beam.Flatten()
    (
        rejections
        | "Write rejections" >> WriteRecordBatches(join(staging, "rejected"), REJECTIONS, files)
        | "List rejections" >> ListFiles(join(staging, "rejected.json"), files)
    )
    counts = (read.counts, scored.counts, rejections | "Count rejections" >> CountRejections())
    counts | beam.Flatten() | "Count" >> CountRows(join(staging, "counts.json"), files)


def partition_schema(config: Config, bundle: Bundle) -> pa.Schema:
    """The schema of the Parquet files, with the model in its metadata."""
    metadata = {
        "labels": json.dumps(bundle.labels, ensure_ascii=False),
        "model_version": bundle.model_version,
        "model_fingerprint": str(bundle.manifest["fingerprint"]),
    }
    return predictions_schema(kept_fields(config.corpus.columns), metadata)


def _publish(
    run: Manifest, config: Config, *, partition: Partition, folder: str, files: Files
) -> None:
    """Checks that every row is answered and commits, or leaves the previous state."""
    staging = staging_folder(partition.output, run.run_id)
    predictions = read_list(files, join(staging, "predictions.json"))
    rejected = read_list(files, join(staging, "rejected.json"))
    written = sum(file.rows for file in predictions)
    fraction = rejected_fraction(run.rows)
    problem = None
    if written != run.rows["used"]:
        problem = (
            f"expected {run.rows['used']:,} rows in the predictions files, got {written:,}. "
            "Run again, and report this if it happens twice."
        )
    elif fraction > config.corpus.max_rejected_fraction:
        problem = (
            f"{fraction:.2%} of the rows were rejected, expected at most "
            f"{config.corpus.max_rejected_fraction:.2%} (corpus.max_rejected_fraction). "
            f"Read the rejections in {join(staging, 'rejected')}."
        )
    if problem is not None:
        run.finish("failed")
        run.write(files, folder)
        raise RunError(f"Nothing was published: {problem}")
    published = publish(
        files, partition, run_id=run.run_id, predictions=predictions, rejected=rejected
    )
    run.outputs = [file.as_output() for file in published]
    run.finish("done")
    report = collect_run_report(files, staging, manifest=run.as_dict())
    write_text(files, join(folder, "report.html"), render_run_report(report))
    files.delete([staging])
    run.write(files, folder)
