"""compare: a corpus scored by two models in one pass -> what a promotion would change."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.sections import Config, CorpusConfig
from pipeline.corpora.reading.columns import corpus_to_evaluate
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.comparison import (
    MODELS,
    Gates,
    keep_answered_by_both,
    label_predictions_of_model,
    summarize_comparison,
)
from pipeline.corpora.scoring.flips import FLIPS, count_flips, find_flips
from pipeline.corpora.scoring.labeled_predictions import LABELED_PREDICTIONS
from pipeline.corpora.scoring.output_columns import column_prefixes
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.reports.comparison import collect_comparison, render_comparison
from pipeline.stages.corpus_pass import SEE_REJECTIONS
from pipeline.stages.run_checks import check_rejected
from pipeline.stages.scored_corpus import (
    open_and_pass_over_corpus,
    score_units,
    scoring_of_every_row,
)
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files, join, write_json, write_text
from pipeline.storage.manifest import new_run_id
from pipeline.storage.staged_tables import read_staged_table
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.score_documents import ScoreDocuments
from pipeline.transforms.write_record_batches import WriteRecordBatches

OUTCOME = "Nothing was compared"  # of a run that fails


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared:
    """A comparison that was written.

    Attributes:
        comparison: the object that `comparison.json` holds.
        flips: the path of the documents that flip.
        report: the path of the page.
    """

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
        RunError: if the pipeline fails or too many rows are rejected.
    """
    bundles = [open_bundle(files, folder) for folder in (old, new)]
    run_id = new_run_id("compare")
    staging = ScoringStaging(folder=join(output, "staging", run_id))
    scoring = ScoreDocuments(
        old,
        config=dataclasses.replace(
            scoring_of_every_row(config.scoring, beam_options), further_models=(new,)
        ),
        run_id=run_id,
        files=files,
    )
    heads = [bundle.config.network.head for bundle in bundles]
    to_read = corpus_to_evaluate(config.corpus, heads=heads)
    corpus = open_and_pass_over_corpus(
        functools.partial(
            define_comparison,
            corpus=to_read,
            new_version=bundles[1].model_version,
            scoring=scoring,
            staging=staging,
            files=files,
        ),
        to_read,
        step="compare",
        outcome=OUTCOME,
        staging=staging,
        beam_options=beam_options,
        files=files,
    )
    labeled = {
        model: read_staged_table(files, staging.labeled_list(model), LABELED_PREDICTIONS)
        for model in MODELS
    }
    flips = read_staged_table(files, staging.flips_list, FLIPS)
    files.delete([join(output, "staging")])
    check_rejected(corpus, config.corpus, hint=SEE_REJECTIONS, outcome=OUTCOME)
    comparison = summarize_comparison(
        corpus.counts, bundles, labeled, rows=corpus.rows, gates=gates
    )
    return write_comparison(comparison, flips, output=output, files=files)


def define_comparison(
    root: beam.Pipeline,
    units: Sequence[Unit],
    corpus: CorpusConfig,
    *,
    new_version: str,
    scoring: ScoreDocuments,
    staging: ScoringStaging,
    files: Files,
) -> None:
    """Units -> files of flips, files of labeled predictions of each model, counts."""
    [prefix] = column_prefixes([new_version])
    scored = score_units(root, units, corpus, scoring=scoring, files=files)
    flips = scored.documents | "Find flips" >> beam.MapTuple(
        functools.partial(_flips_and_counts, prefix=prefix)
    )
    (
        flips
        | "Flips" >> beam.MapTuple(_flips_alone)
        | "Write flips" >> WriteRecordBatches(staging.flips, FLIPS, files)
        | "List flips" >> ListFiles(staging.flips_list, files)
    )
    answered = scored.documents | "Answered by both" >> beam.MapTuple(
        functools.partial(keep_answered_by_both, prefix=prefix)
    )
    for model, columns in zip(MODELS, ("", prefix), strict=True):
        (
            answered
            | f"Label predictions, {model}"
            >> beam.MapTuple(functools.partial(label_predictions_of_model, prefix=columns))
            | f"Write labeled predictions, {model}"
            >> WriteRecordBatches(staging.labeled(model), LABELED_PREDICTIONS, files)
            | f"List labeled predictions, {model}" >> ListFiles(staging.labeled_list(model), files)
        )
    counts = (*scored.counts, flips | "Count flips" >> beam.MapTuple(_counts_alone))
    counts | "Count" >> CountRows(staging.counts, files)


def write_comparison(
    comparison: dict[str, Any], flips: pa.Table, *, output: str, files: Files
) -> Compared:
    """Writes the flips, `comparison.json` and the page into the output folder."""
    written = Compared(
        comparison=comparison,
        flips=join(output, "flips.parquet"),
        report=join(output, "report.html"),
    )
    with files.create(written.flips) as sink:
        pq.write_table(flips, sink, compression="zstd")
    write_json(files, join(output, "comparison.json"), comparison)
    write_text(files, written.report, render_comparison(collect_comparison(comparison, flips)))
    return written


def _flips_and_counts(
    documents: pa.RecordBatch, predictions: pa.RecordBatch, prefix: str
) -> tuple[pa.RecordBatch, dict[str, Any]]:
    flips = find_flips(documents, predictions, prefix=prefix)
    return flips, count_flips(documents.num_rows, flips)


def _flips_alone(flips: pa.RecordBatch, counts: dict[str, Any]) -> tuple[int, pa.RecordBatch]:
    return 0, flips


def _counts_alone(flips: pa.RecordBatch, counts: dict[str, Any]) -> dict[str, Any]:
    return counts
