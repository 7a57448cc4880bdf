"""evaluate: a labeled corpus -> the metrics of a model on it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq

from model.config import ConfigError
from model.metrics.evaluation import evaluate as measure
from pipeline.config.sections import Config, OutputConfig, ScoringConfig
from pipeline.corpora.reading.accounting import account_files, total_rows
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.labeled_predictions import (
    LABELED_PREDICTIONS,
    label_predictions,
    stack_labeled_predictions,
)
from pipeline.process import progress
from pipeline.runners.execution import beam_pipeline
from pipeline.runners.parallelism import process_threads
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.planning import plan_units
from pipeline.storage.files import Files, join, read_json
from pipeline.storage.manifest import new_run_id
from pipeline.storage.models import open_bundle
from pipeline.transforms.count_rejections import CountRejections
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles, read_list
from pipeline.transforms.read_documents import ReadDocuments
from pipeline.transforms.score_documents import ScoreDocuments
from pipeline.transforms.write_record_batches import WriteRecordBatches


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """Metrics of a model on a corpus, and what became of the corpus's rows."""

    metrics: dict[str, Any]
    rows: dict[str, Any]


def evaluate(config: Config, *, model: str, beam_options: Sequence[str], files: Files) -> Measured:
    """Scores a labeled corpus and compares.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: for missing inputs or columns, or a corpus without a known label.
        RunError: if the pipeline fails.
    """
    bundle = open_bundle(files, model)
    run_id = new_run_id("evaluate")
    scratch = join(config.workspace, "evaluations", run_id)
    scoring = ScoreDocuments(
        model,
        config=ScoringConfig(
            engine=config.scoring.engine,
            threads=process_threads(config.scoring, beam_options),
            long_documents=config.scoring.long_documents,
            output=OutputConfig(attention="none"),
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
        with progress.shown("evaluate"), beam_pipeline(beam_options, step="evaluate") as root:
            define_evaluation(root, units, config, scoring=scoring, scratch=scratch, files=files)
    counts = read_json(files, join(scratch, "counts.json"))
    batches = []
    for staged in read_list(files, join(scratch, "truth.json")):
        with files.open(staged.path) as stream:
            batches.append(pq.read_table(stream))
    files.delete([scratch])
    multilabel = bundle.config.network.head == "multilabel"
    truth = stack_labeled_predictions(batches, labels=bundle.labels, multilabel=multilabel)
    if not len(truth.labels):
        raise ConfigError(
            f"{inputs[0].name}: expected labels the model knows "
            f"({', '.join(bundle.labels[:5])}), got none. Check corpus.columns.label."
        )
    metrics = dict(
        measure(truth.probabilities, truth.labels, labels=bundle.labels, multilabel=multilabel)
    )
    rows = total_rows(account_files(counts, inputs), counts)
    return Measured(metrics={**metrics, "unlabeled": truth.unlabeled}, rows=rows)


def define_evaluation(
    root: beam.Pipeline,
    units: Sequence[Unit],
    config: Config,
    *,
    scoring: ScoreDocuments,
    scratch: str,
    files: Files,
) -> None:
    """Units -> files of true labels with probabilities, and counts."""
    read = root | "Units" >> beam.Create(units) | "Read" >> ReadDocuments(config.corpus, files)
    scored = read.documents | "Score" >> scoring
    (
        scored.documents
        | "Keep truth" >> beam.MapTuple(label_predictions)
        | "Write truth" >> WriteRecordBatches(join(scratch, "truth"), LABELED_PREDICTIONS, files)
        | "List truth" >> ListFiles(join(scratch, "truth.json"), files)
    )
    rejections = (read.rejections, scored.rejections) | "All rejections" >> beam.Flatten()
    counts = (read.counts, scored.counts, rejections | "Count rejections" >> CountRejections())
    counts | beam.Flatten() | "Count" >> CountRows(join(scratch, "counts.json"), files)
