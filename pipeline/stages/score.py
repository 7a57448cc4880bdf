"""score: corpora -> predictions with attention, committed as the partition of a date."""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.config import ConfigError, to_plain
from pipeline.config.sections import Config
from pipeline.corpora.reading.columns import corpus_to_score, kept_fields
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.output_columns import column_prefixes
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.nights.partition import Partition, run_folder, staging_folder
from pipeline.nights.reusable_partition import find_reusable_partition
from pipeline.nights.reuse_counts import describe_reuse
from pipeline.process.logs import describe_run, naming_run, record_outcome
from pipeline.runners.parallelism import process_threads
from pipeline.schemas import predictions_schema
from pipeline.stages.corpus_pass import CountedCorpus, pass_over_corpus, write_rejections
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.missing_columns import require_named_columns
from pipeline.stages.owned_date import IfExists, find_published, own_date
from pipeline.stages.publishing import publish_run
from pipeline.stages.recording import concluding, recorded
from pipeline.stages.scored_corpus import config_of_model, score_units
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files
from pipeline.storage.manifest import Manifest, new_run_id, read_manifest
from pipeline.storage.parquet_files import ParquetLayout
from pipeline.storage.partition_names import check_partition_column
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.profile_predictions import ProfilePredictions
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
        skipped: whether the date was complete before, so that nothing was scored; the other
            attributes are then those of the earlier run.
    """

    partition: Partition
    folder: str
    manifest: Mapping[str, Any]
    skipped: bool = False

    @property
    def alerts(self) -> bool:
        """Whether the corpus drifted and `drift.on_drift` asks for exit code 3 then."""
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
        config: the corpus, how it is scored, and how much drift is too much.
        model: a model directory.
        partition: of the output and the date.
        beam_options: Beam's own flags.
        files: where everything lies.
        if_exists: what to do where the date's partition is complete.
        reuse_from: a date, or `previous`: documents that have not changed since take their rows.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: for missing inputs or columns, an input without a row, or an output
            that cannot be written.
        LeaseError: if another run is at work on the date.
        RunError: if the pipeline fails, too many rows are rejected, or `if_exists` is `fail`
            and the date's partition is complete. Nothing is published then.
    """
    bundles = [open_bundle(files, folder) for folder in (model, *config.scoring.further_models)]
    run = new_manifest(config, bundles[0], model=model, partition=partition)
    folder = run_folder(partition.output, run.run_id)
    staging = ScoringStaging(folder=staging_folder(partition.output, run.run_id))
    with (
        naming_run(run.run_id),
        concluding(run),
        own_date(files, partition, run_id=run.run_id) as lease,
    ):
        before = find_published(files, partition, if_exists=if_exists)
        if before is not None:
            return _skip(before, partition=partition, files=files)
        with (
            opened_inputs(
                corpus_to_score(config.corpus),
                scratch=staging.tables,
                beam_options=beam_options,
                files=files,
            ) as inputs,
            recorded(run, folder=folder, staging=staging, files=files),
        ):
            _score_corpus(
                run, config, bundles, inputs, partition=partition, staging=staging,
                reuse_from=reuse_from, beam_options=beam_options, files=files,
            )  # fmt: skip
            publish_run(run, config, bundles[0], partition=partition, lease=lease, files=files)
    return ScoringRun(partition=partition, folder=folder, manifest=run.as_dict())


def new_manifest(config: Config, bundle: Bundle, *, model: str, partition: Partition) -> Manifest:
    """The manifest of a scoring run that begins."""
    recorded = to_plain(config_of_model(config, bundle))
    run = Manifest(run_id=new_run_id("score"), stage="score", config=recorded)
    run.extra = {
        "date": partition.date,
        "model": model,
        "model_version": bundle.model_version,
        "model_fingerprint": bundle.manifest["fingerprint"],
        "rejected": partition.rejected,
    }
    return run


def _skip(run_id: str, *, partition: Partition, files: Files) -> ScoringRun:
    """The earlier run that published the date."""
    folder = run_folder(partition.output, run_id)
    manifest = read_manifest(files, folder)
    record_outcome(run_id, {**describe_run(manifest), "date": partition.date, "status": SKIPPED})
    return ScoringRun(partition=partition, folder=folder, manifest=manifest, skipped=True)


def _score_corpus(
    run: Manifest,
    config: Config,
    bundles: Sequence[Bundle],
    inputs: Sequence[InputFile],
    *,
    partition: Partition,
    staging: ScoringStaging,
    reuse_from: str | None,
    beam_options: Sequence[str],
    files: Files,
) -> None:
    """Stages predictions and rejections, and puts what was counted into the manifest."""
    reusable = None
    if reuse_from is not None:
        reusable = find_reusable_partition(
            run, reuse_from, bundles, partition=partition, files=files
        )
    if reusable is not None:
        run.extra = {**run.extra, "reuse": reusable.source}
    threads = process_threads(config.scoring, beam_options)
    scoring = ScoreDocuments(
        run.extra["model"],
        config=dataclasses.replace(config.scoring, threads=threads),
        run_id=run.run_id,
        files=files,
        reusable=reusable,
    )
    schema = partition_schema(config, bundles)
    corpus = pass_over_corpus(
        functools.partial(
            define_scoring,
            config=config,
            scoring=scoring,
            schema=schema,
            staging=staging,
            files=files,
        ),
        inputs,
        config.corpus,
        step="score",
        keep_rejections=True,
        staging=staging,
        beam_options=beam_options,
        files=files,
    )
    run.inputs, run.rows = corpus.inputs, corpus.rows
    require_named_columns(corpus.counts, inputs, corpus_to_score(config.corpus), files=files)
    run.extra = {**run.extra, **summarize_scoring(corpus)}
    if reusable is not None:
        reuse = describe_reuse(reusable, corpus.counts, used=corpus.rows["used"], files=files)
        run.extra = {**run.extra, "reuse": reuse}


def summarize_scoring(corpus: CountedCorpus) -> dict[str, Any]:
    """What the manifest of a scoring run says of its counts and its speed."""
    counts, seconds = corpus.counts, corpus.seconds
    return {
        "labels": counts.get("labels", {}),
        "scores": counts.get("scores", {}),
        "below_min_score": counts.get("below_min_score", 0),
        "first_rejected": counts.get("first_rejected", {}),
        "profile": counts.get("profile", {}),
        "seconds": round(seconds, 2),
        "documents_per_second": round(corpus.rows["used"] / seconds, 1),
    }


def define_scoring(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    *,
    scoring: ScoreDocuments,
    schema: pa.Schema,
    staging: ScoringStaging,
    files: Files,
) -> None:
    """Units -> staged Parquet files of predictions and of rejections, a gallery, counts."""
    corpus = corpus_to_score(config.corpus)
    scored = score_units(root, units, corpus, scoring=scoring, files=files)
    (
        scored.predictions
        | "Write predictions"
        >> WriteRecordBatches(staging.predictions, schema, files, layout_of(config))
        | "List predictions" >> ListFiles(staging.predictions_list, files)
    )
    scored.documents | "Show" >> WriteGallery(staging.gallery, files)
    write_rejections(scored.rejections, staging.rejected, listed=staging.rejected_list, files=files)
    counts = (*scored.counts, scored.documents | "Profile" >> ProfilePredictions())
    counts | "Count" >> CountRows(staging.counts, files)


def partition_schema(config: Config, bundles: Sequence[Bundle]) -> pa.Schema:
    """The schema of the Parquet files, with labels, version and fingerprint of each model.

    Raises:
        ConfigError: if two models, or a model and a kept column, give two columns one name, or if
            the predictions are partitioned by a column whose name is too long for a folder.
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
        wide=bundles[0].has_wide_part,
        further=[
            (prefix, bundle.has_wide_part)
            for prefix, bundle in zip(prefixes, bundles[1:], strict=True)
        ],
        attention_type=config.scoring.output.attention_type,
    )
    if config.scoring.output.partition_by is not None:
        check_partition_column(config.scoring.output.partition_by)
    names = [name.casefold() for name in schema.names]
    twice = [name for name in schema.names if names.count(name.casefold()) > 1]
    if twice:
        raise ConfigError(
            f"scoring.further_models: expected models and kept columns of different names, got "
            f"the column {twice[0]!r} twice. Leave one of them out."
        )
    return schema


def layout_of(config: Config) -> ParquetLayout:
    """How large the files of predictions and their row groups are, and which folders they get."""
    output = config.scoring.output
    return ParquetLayout(
        row_group_bytes=output.row_group_mb << 20,
        file_bytes=output.file_mb << 20,
        partition_by=output.partition_by,
    )
