"""evaluate: a labeled corpus -> the metrics of a model on it."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam

from model.config import ConfigError
from pipeline.config.sections import Config, CorpusConfig, OutputConfig
from pipeline.corpora.reading.columns import corpus_to_evaluate
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.labeled_predictions import (
    LABELED_PREDICTIONS,
    label_predictions,
)
from pipeline.corpora.scoring.measurement import measure, stack_predictions_of_model
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.reports.formats import list_labels
from pipeline.runners.parallelism import runs_on_this_machine
from pipeline.stages.corpus_pass import SEE_REJECTIONS
from pipeline.stages.run_checks import check_rejected
from pipeline.stages.scored_corpus import (
    open_and_pass_over_corpus,
    score_units,
    scoring_of_every_row,
)
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files, join
from pipeline.storage.manifest import new_run_id
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.storage.staged_tables import read_staged_table
from pipeline.transforms.count_rows import CountRows
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.score_documents import ScoreDocuments
from pipeline.transforms.write_record_batches import WriteRecordBatches

OUTCOME = "Nothing was measured"  # by a run that fails
EVALUATED = "evaluated"  # the model, in the names of staged files
LABELS_SHOWN = 5  # of the model, in a message


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """Metrics of a model on a corpus, and what became of the corpus's rows.

    Attributes:
        metrics: as `model.metrics` gives them, and `unlabeled`: how many documents have no
            label that the model knows, and were left out; `unknown_labels`: how many documents
            have each label that the model does not know. With `scoring.max_unknown` the metrics
            are those of the documents that were answered, and `coverage` is their share of the
            labeled documents.
        rows: the `rows` of a manifest.
    """

    metrics: dict[str, Any]
    rows: Mapping[str, Any]


def evaluate(config: Config, *, model: str, beam_options: Sequence[str], files: Files) -> Measured:
    """Scores a labeled corpus and measures the predictions against its labels.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: for missing inputs or columns, or a corpus without a known label.
        RunError: if the pipeline fails or too many rows are rejected.
    """
    bundle = open_bundle(files, model)
    run_id = new_run_id("evaluate")
    scoring = ScoreDocuments(
        model,
        config=dataclasses.replace(
            scoring_of_every_row(config.scoring, beam_options),
            max_unknown=config.scoring.max_unknown,
            output=OutputConfig(attention="none"),
        ),
        run_id=run_id,
        files=files,
    )
    to_read = corpus_to_evaluate(config.corpus, heads=[bundle.config.network.head])
    with _staging_folder(config, run_id, beam_options=beam_options, files=files) as folder:
        staging = ScoringStaging(folder=folder)
        corpus = open_and_pass_over_corpus(
            functools.partial(
                define_evaluation, corpus=to_read, scoring=scoring, staging=staging, files=files
            ),
            to_read,
            step="evaluate",
            outcome=OUTCOME,
            staging=staging,
            beam_options=beam_options,
            files=files,
        )
        table = read_staged_table(files, staging.labeled_list(EVALUATED), LABELED_PREDICTIONS)
    check_rejected(corpus, config.corpus, hint=SEE_REJECTIONS, outcome=OUTCOME)
    labeled = stack_predictions_of_model(table, bundle)
    if not len(labeled.labels):
        raise ConfigError(
            f"{corpus.inputs[0]['file']}: expected labels the model knows "
            f"({', '.join(bundle.labels[:LABELS_SHOWN])}), got "
            f"{list_labels(labeled.unknown_labels) or 'none'}. Check corpus.columns.label."
        )
    metrics = {
        **measure(labeled, labels=bundle.labels),
        "unlabeled": labeled.unlabeled,
        "unknown_labels": labeled.unknown_labels,
    }
    if config.scoring.max_unknown is not None:
        metrics["coverage"] = labeled.coverage
    return Measured(metrics=metrics, rows=corpus.rows)


@contextlib.contextmanager
def _staging_folder(
    config: Config, run_id: str, *, beam_options: Sequence[str], files: Files
) -> Iterator[str]:
    """A folder for what workers write; nothing of it is left.

    In process it is a temporary one, so that nothing is written into the workspace, which by
    default is below the current folder. Other workers do not see this machine's temporary folder.
    """
    if runs_on_this_machine(beam_options):
        with scratch_folder("evaluate") as folder:
            yield folder
        return
    folder = join(config.workspace, "evaluations", run_id)
    try:
        yield folder
    finally:
        files.delete([folder])


def define_evaluation(
    root: beam.Pipeline,
    units: Sequence[Unit],
    corpus: CorpusConfig,
    *,
    scoring: ScoreDocuments,
    staging: ScoringStaging,
    files: Files,
) -> None:
    """Units -> files of true labels beside probabilities, and counts."""
    scored = score_units(root, units, corpus, scoring=scoring, files=files)
    (
        scored.documents
        | "Label predictions" >> beam.MapTuple(label_predictions)
        | "Write labeled predictions"
        >> WriteRecordBatches(staging.labeled(EVALUATED), LABELED_PREDICTIONS, files)
        | "List labeled predictions" >> ListFiles(staging.labeled_list(EVALUATED), files)
    )
    scored.counts | "Count" >> CountRows(staging.counts, files)
