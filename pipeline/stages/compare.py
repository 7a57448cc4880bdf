"""compare: a corpus scored by two models in one pass -> what a promotion would change."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.bundle.bundle import Bundle
from model.config import ConfigError
from model.metrics.evaluation import evaluate
from pipeline.config.sections import Config, ScoringConfig
from pipeline.corpora.reading.accounting import account_files, total_rows
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.flips import (
    FLIPS,
    count_flips,
    find_flips,
    list_flip_counts,
    select_model_columns,
)
from pipeline.corpora.scoring.labeled_predictions import (
    LABELED_PREDICTIONS,
    label_predictions,
    stack_labeled_predictions,
)
from pipeline.corpora.scoring.output_columns import column_prefixes
from pipeline.process import progress
from pipeline.reports.comparison import collect_comparison, render_comparison
from pipeline.runners.execution import beam_pipeline
from pipeline.runners.parallelism import process_threads
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.planning import plan_units
from pipeline.storage.files import Files, join, read_json, write_json, write_text
from pipeline.storage.manifest import new_run_id
from pipeline.storage.models import open_bundle
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles, read_list
from pipeline.transforms.read_documents import ReadDocuments
from pipeline.transforms.score_documents import ScoreDocuments
from pipeline.transforms.write_record_batches import WriteRecordBatches

MODELS = ("old", "new")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gates:
    """What a promotion must keep; None is no gate."""

    max_churn: float | None = None
    min_accuracy_gain: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared:
    """Where the flips and the report lie, and the comparison as written."""

    comparison: dict[str, Any]
    flips: str
    report: str


def compare(
    config: Config,
    *,
    old: str,
    new: str,
    output: str,
    gates: Gates,
    beam_options: Sequence[str],
    files: Files,
) -> Compared:
    """Scores a corpus with both models and writes flips, `comparison.json` and a report.

    Raises:
        BundleError: if a model directory must not be used.
        ConfigError: for missing inputs or columns, or an accuracy gate without labels.
        RunError: if the pipeline fails.
    """
    bundles = [open_bundle(files, folder) for folder in (old, new)]
    run_id = new_run_id("compare")
    scratch = join(output, "staging", run_id)
    scoring = ScoreDocuments(
        old,
        config=ScoringConfig(
            engine=config.scoring.engine,
            threads=process_threads(config.scoring, beam_options),
            long_documents=config.scoring.long_documents,
            further_models=(new,),
        ),
        run_id=run_id,
        files=files,
    )
    with opened_inputs(
        config.corpus, scratch=join(scratch, "tables"), beam_options=beam_options, files=files
    ) as inputs:
        units = plan_units(
            inputs,
            beam_options=beam_options,
            files=files,
            scratch=join(scratch, "row_counts.json"),
        )
        with progress.shown("compare"), beam_pipeline(beam_options, step="compare") as root:
            define_comparison(
                root, units, config, bundles, scoring=scoring, scratch=scratch, files=files
            )
    counts = read_json(files, join(scratch, "counts.json"))
    rows = total_rows(account_files(counts, inputs), counts)
    documents, flips = counts.get("compared", 0), counts.get("flips", {})
    flipped = sum(flips.values())
    comparison = {
        "old": bundles[0].model_version,
        "new": bundles[1].model_version,
        "documents": documents,
        "flipped": flipped,
        "agreement": 1 - flipped / max(documents, 1),
        "flips": list_flip_counts(flips),
        "metrics": _measure_both(bundles, scratch=scratch, files=files),
        "rows": rows,
    }
    table = _read_tables(files, join(scratch, "flips.json"), FLIPS)
    files.delete([join(output, "staging")])
    comparison["tripped"] = check_gates(comparison, gates)
    made = Compared(
        comparison=comparison,
        flips=join(output, "flips.parquet"),
        report=join(output, "report.html"),
    )
    with files.create(made.flips) as sink:
        pq.write_table(table, sink, compression="zstd")
    write_json(files, join(output, "comparison.json"), comparison)
    write_text(files, made.report, render_comparison(collect_comparison(comparison, table)))
    return made


def define_comparison(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    bundles: Sequence[Bundle],
    *,
    scoring: ScoreDocuments,
    scratch: str,
    files: Files,
) -> None:
    """Units -> files of flipped documents, files of truth for each model, counts."""
    [prefix] = column_prefixes([bundles[1].model_version])
    read = root | "Units" >> beam.Create(units) | "Read" >> ReadDocuments(config.corpus, files)
    scored = read.documents | "Score" >> scoring
    flips = scored.documents | "Find flips" >> beam.MapTuple(_flips_and_counts, prefix=prefix)
    (
        flips
        | "Flips" >> beam.MapTuple(_flips_alone)
        | "Write flips" >> WriteRecordBatches(join(scratch, "flips"), FLIPS, files)
        | "List flips" >> ListFiles(join(scratch, "flips.json"), files)
    )
    answered = scored.documents | "Both answered" >> beam.MapTuple(_both_answered, prefix=prefix)
    for model, before in zip(MODELS, ("", prefix), strict=True):
        (
            answered
            | f"Keep truth, {model}" >> beam.MapTuple(_truth_of, prefix=before)
            | f"Write truth, {model}"
            >> WriteRecordBatches(join(scratch, f"truth-{model}"), LABELED_PREDICTIONS, files)
            | f"List truth, {model}" >> ListFiles(join(scratch, f"truth-{model}.json"), files)
        )
    rejections = (read.rejections, scored.rejections) | "All rejections" >> beam.Flatten()
    counts = (
        read.counts,
        scored.counts,
        rejections | "Count rejections" >> CountRejections(),
        flips | "Count flips" >> beam.MapTuple(_counts_alone),
    )
    counts | beam.Flatten() | "Count" >> CountRows(join(scratch, "counts.json"), files)


def check_gates(comparison: dict[str, Any], gates: Gates) -> list[str]:
    """A sentence for every gate that tripped.

    Raises:
        ConfigError: if accuracy is to be compared and no document has a known label.
    """
    tripped = []
    churn = 1 - comparison["agreement"]
    if gates.max_churn is not None and churn > gates.max_churn:
        tripped.append(
            f"{churn:.2%} of the documents flip, expected at most {gates.max_churn:.2%} "
            "(--max-churn)."
        )
    if gates.min_accuracy_gain is not None:
        metrics = comparison["metrics"]
        if not metrics:
            raise ConfigError(
                "--min-accuracy-gain: expected labels that both models know in the corpus, got "
                "none. Give a labeled --input, or check corpus.columns.label."
            )
        gain = metrics["new"]["accuracy"] - metrics["old"]["accuracy"]
        if gain < gates.min_accuracy_gain:
            tripped.append(
                f"accuracy gains {gain:+.4f}, expected at least {gates.min_accuracy_gain:+.4f} "
                "(--min-accuracy-gain)."
            )
    return tripped


def _measure_both(bundles: Sequence[Bundle], *, scratch: str, files: Files) -> dict[str, Any]:
    """Metrics of both models over the documents whose label both know; nothing where none is."""
    metrics = {}
    shared = pa.array(sorted(set(bundles[0].labels) & set(bundles[1].labels)), pa.string())
    for model, bundle in zip(MODELS, bundles, strict=True):
        multilabel = bundle.config.network.head == "multilabel"
        table = _read_tables(files, join(scratch, f"truth-{model}.json"), LABELED_PREDICTIONS)
        if not multilabel:
            table = table.filter(pc.is_in(table.column("label"), shared))
        truth = stack_labeled_predictions([table], labels=bundle.labels, multilabel=multilabel)
        if not len(truth.labels):
            return {}
        metrics[model] = dict(
            evaluate(truth.probabilities, truth.labels, labels=bundle.labels, multilabel=multilabel)
        )
    return metrics


def _read_tables(files: Files, path: str, schema: pa.Schema) -> pa.Table:
    tables = [schema.empty_table()]
    for staged in read_list(files, path):
        with files.open(staged.path) as stream:
            tables.append(pq.read_table(stream).cast(schema))
    return pa.concat_tables(tables)


def _flips_and_counts(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, prefix: str = ""
) -> tuple[pa.RecordBatch, dict[str, Any]]:
    flips = find_flips(documents, predictions, prefix=prefix)
    return flips, count_flips(documents.num_rows, flips)


def _flips_alone(flips: pa.RecordBatch, counts: dict[str, Any]) -> tuple[int, pa.RecordBatch]:
    return 0, flips


def _counts_alone(flips: pa.RecordBatch, counts: dict[str, Any]) -> dict[str, Any]:
    return counts


def _both_answered(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, prefix: str = ""
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows in which both models found a token, so that both are judged by the same ones."""
    both = pc.and_(
        predictions.column("probabilities").is_valid(),
        predictions.column(f"{prefix}probabilities").is_valid(),
    )
    return documents.filter(both), predictions.filter(both)


def _truth_of(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, prefix: str = ""
) -> tuple[int, pa.RecordBatch]:
    return label_predictions(
        documents, select_model_columns(predictions, prefix, ["probabilities"])
    )
