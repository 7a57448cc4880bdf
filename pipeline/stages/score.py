"""score: corpora -> predictions with attention, committed as the partition of a date."""

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.config import ConfigError, to_plain
from pipeline.config.sections import Config
from pipeline.corpora.reading.accounting import account_files, total_rows
from pipeline.corpora.reading.columns import kept_fields
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.output_columns import column_prefixes
from pipeline.nights.commit import Partition, run_folder, staging_folder
from pipeline.nights.reusable_partition import find_reusable_partition
from pipeline.nights.reuse_counts import describe_reuse
from pipeline.process import progress
from pipeline.process.logs import conclude, describe_run, naming_run
from pipeline.runners.execution import beam_pipeline
from pipeline.runners.parallelism import process_threads
from pipeline.schemas import REJECTIONS, predictions_schema
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.planning import plan_units
from pipeline.stages.publishing import (
    PREDICTIONS,
    REJECTED,
    IfExists,
    concluding,
    find_published,
    own_date,
    publish_run,
    recorded,
)
from pipeline.storage.files import Files, join, read_json
from pipeline.storage.manifest import Manifest, new_run_id, read_manifest
from pipeline.storage.models import open_bundle
from pipeline.storage.parquet_files import ParquetLayout
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.profile_predictions import ProfilePredictions
from pipeline.transforms.read_documents import ReadDocuments
from pipeline.transforms.score_documents import ScoreDocuments
from pipeline.transforms.write_gallery import WriteGallery
from pipeline.transforms.write_record_batches import WriteRecordBatches

SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringRun:
    """A scoring run that was published.

    Attributes:
        partition: the folders of its output and date.
        folder: where its manifest and report lie.
        manifest: as written.
        skipped: whether an earlier run had published the date, and this is that one.
    """

    partition: Partition
    folder: str
    manifest: Mapping[str, Any]
    skipped: bool = False

    @property
    def alerts(self) -> bool:
        """Whether a gate tripped that a person wants to be told of by the exit code."""
        tripped = bool(self.manifest.get("drift", {}).get("warnings"))
        return tripped and self.manifest["config"]["drift"]["on_drift"] == "alert"


def score(
    config: Config,
    *,
    model: str,
    partition: Partition,
    beam_options: Sequence[str],
    files: Files,
    if_exists: IfExists = "replace",
    reuse_from: str | None = None,
) -> ScoringRun:
    """Scores a corpus and publishes the predictions of a date.

    Args:
        config: the corpus, how it is scored, and what drift is too much.
        model: a model directory.
        partition: of the output and the date.
        beam_options: Beam's own flags.
        files: where everything lies.
        if_exists: what to do where the date's partition is complete.
        reuse_from: the date, or `previous`, whose rows stand for unchanged documents.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: for missing inputs or columns, an input without a row, or an output
            that cannot be written.
        LeaseError: if another run is at work on the date.
        RunError: if the pipeline fails, too many rows are rejected, or `if_exists` is `fail`
            and the date's partition is complete. Nothing is published then.
    """
    bundle = open_bundle(files, model)
    further = [open_bundle(files, folder) for folder in config.scoring.further_models]
    run = Manifest(run_id=new_run_id("score"), stage="score", config=to_plain(config))
    folder = run_folder(partition.output, run.run_id)
    run.extra = {
        "date": partition.date,
        "model": model,
        "model_version": bundle.model_version,
        "model_fingerprint": bundle.manifest["fingerprint"],
        "rejected": partition.rejected,
    }
    with (
        naming_run(run.run_id),
        concluding(run),
        own_date(files, partition, run_id=run.run_id) as lease,
    ):
        before = find_published(files, partition, if_exists=if_exists)
        if before is not None:
            folder = run_folder(partition.output, before)
            manifest = read_manifest(files, folder)
            conclude(before, {**describe_run(manifest), "date": partition.date, "status": SKIPPED})
            return ScoringRun(partition=partition, folder=folder, manifest=manifest, skipped=True)
        scratch = join(staging_folder(partition.output, run.run_id), "tables")
        with (
            opened_inputs(
                config.corpus, scratch=scratch, beam_options=beam_options, files=files
            ) as inputs,
            recorded(run, files=files, folder=folder),
        ):
            _score(
                run,
                config,
                [bundle, *further],
                inputs,
                partition=partition,
                beam_options=beam_options,
                files=files,
                reuse_from=reuse_from,
            )
            publish_run(run, config, bundle, partition=partition, lease=lease, files=files)
    return ScoringRun(partition=partition, folder=folder, manifest=run.as_dict())


def _score(
    run: Manifest,
    config: Config,
    bundles: Sequence[Bundle],
    inputs: Sequence[InputFile],
    *,
    partition: Partition,
    beam_options: Sequence[str],
    files: Files,
    reuse_from: str | None,
) -> None:
    """Stages predictions and rejections, and counts both into the manifest."""
    staging = staging_folder(partition.output, run.run_id)
    units = plan_units(
        inputs,
        beam_options=beam_options,
        files=files,
        scratch=join(staging, "row_counts.json"),
    )
    reusable = None
    if reuse_from is not None:
        reusable = find_reusable_partition(
            run, reuse_from, bundles, partition=partition, files=files
        )
    if reusable is not None:
        run.extra = {**run.extra, "reuse": reusable.source}
    scoring = ScoreDocuments(
        run.extra["model"],
        config=dataclasses.replace(
            config.scoring, threads=process_threads(config.scoring, beam_options)
        ),
        run_id=run.run_id,
        files=files,
        reusable=reusable,
    )
    schema = partition_schema(config, bundles)
    started = time.monotonic()
    with progress.shown("score"), beam_pipeline(beam_options, step="score") as root:
        define_scoring(
            root,
            units,
            config,
            scoring=scoring,
            schema=schema,
            staging=staging,
            files=files,
        )
    seconds = time.monotonic() - started
    counts = read_json(files, join(staging, "counts.json"))
    run.inputs = account_files(counts, inputs)
    run.rows = total_rows(run.inputs, counts)
    run.extra = extra = {
        **run.extra,
        "labels": counts.get("labels", {}),
        "scores": counts.get("scores", {}),
        "below_min_score": counts.get("below_min_score", 0),
        "profile": counts.get("profile", {}),
        "seconds": round(seconds, 2),
        "documents_per_second": round(run.rows["used"] / seconds, 1),
    }
    if reusable is not None:
        extra["reuse"] = describe_reuse(reusable, counts, used=run.rows["used"], files=files)


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
        | "Write predictions"
        >> WriteRecordBatches(join(staging, "predictions"), schema, files, layout_of(config))
        | "List predictions" >> ListFiles(join(staging, PREDICTIONS), files)
    )
    scored.documents | "Show" >> WriteGallery(join(staging, "gallery.jsonl"), files)
    rejections = (read.rejections, scored.rejections) | "All rejections" >> beam.Flatten()
    (
        rejections
        | "Write rejections" >> WriteRecordBatches(join(staging, "rejected"), REJECTIONS, files)
        | "List rejections" >> ListFiles(join(staging, REJECTED), files)
    )
    counts = (
        read.counts,
        scored.counts,
        rejections | "Count rejections" >> CountRejections(),
        scored.documents | "Profile" >> ProfilePredictions(),
    )
    counts | beam.Flatten() | "Count" >> CountRows(join(staging, "counts.json"), files)


def partition_schema(config: Config, bundles: Sequence[Bundle]) -> pa.Schema:
    """The schema of the Parquet files, with the models in its metadata.

    Raises:
        ConfigError: if two models, or a model and a kept column, claim one name.
    """
    prefixes = column_prefixes([bundle.model_version for bundle in bundles[1:]])
    metadata = {}
    for prefix, bundle in zip(["", *prefixes], bundles, strict=True):
        metadata[prefix + "labels"] = json.dumps(bundle.labels, ensure_ascii=False)
        metadata[prefix + "model_version"] = bundle.model_version
        metadata[prefix + "model_fingerprint"] = str(bundle.manifest["fingerprint"])
    schema = predictions_schema(
        kept_fields(config.corpus.columns),
        metadata,
        attention_type=config.scoring.output.attention_type,
        prefixes=prefixes,
    )
    twice = [name for name in schema.names if schema.names.count(name) > 1]
    if twice:
        raise ConfigError(
            f"scoring.further_models: expected models and kept columns of different names, got "
            f"the column {twice[0]!r} twice. Leave one of them out."
        )
    return schema


def layout_of(config: Config) -> ParquetLayout:
    """How the predictions are laid out in files."""
    output = config.scoring.output
    return ParquetLayout(
        row_group_bytes=output.row_group_mb << 20,
        file_bytes=output.file_mb << 20,
        partition_by=output.partition_by,
    )
