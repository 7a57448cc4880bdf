"""The frame of the stages that score a corpus: read its units, score them, count every row."""

import dataclasses
from collections.abc import Callable, Sequence

import apache_beam as beam

from model.bundle.bundle import Bundle
from model.config import ConfigError
from pipeline.config.sections import Config, CorpusConfig, ScoringConfig
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.runners.execution import RunError
from pipeline.runners.parallelism import process_threads
from pipeline.stages.corpus_pass import CountedCorpus, count_rejections, pass_over_corpus
from pipeline.stages.inputs import opened_inputs
from pipeline.stages.missing_columns import require_named_columns
from pipeline.stages.run_checks import check_broken
from pipeline.storage.files import Files
from pipeline.transforms.read_documents import ReadDocuments
from pipeline.transforms.score_documents import ScoreDocuments


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoredCorpus:
    """What becomes of the units of a corpus; most attributes are PCollections.

    Attributes:
        documents: pairs of a batch of scored documents and the batch of their predictions.
        predictions: pairs of the number of a unit and a batch of its predictions.
        rejections: PCollections of pairs of the number of a unit and a batch of its rejections:
            first those of reading, then those of scoring.
        counts: PCollections of nested counts: rows read, used and rejected.
    """

    documents: beam.PCollection
    predictions: beam.PCollection
    rejections: tuple[beam.PCollection, ...]
    counts: tuple[beam.PCollection, ...]


def score_units(
    root: beam.Pipeline,
    units: Sequence[Unit],
    corpus: CorpusConfig,
    *,
    scoring: ScoreDocuments,
    files: Files,
) -> ScoredCorpus:
    """Units -> scored documents, predictions, all rejections, and the counts of rows."""
    # Generated ids do not repeat.
    reading = ReadDocuments(corpus, files, count_repeats=corpus.columns.id is not None)
    read = root | "Units" >> beam.Create(units) | "Read" >> reading
    scored = read.documents | "Score" >> scoring
    rejections = (read.rejections, scored.rejections)
    return ScoredCorpus(
        documents=scored.documents,
        predictions=scored.predictions,
        rejections=rejections,
        counts=(read.counts, scored.counts, *count_rejections(rejections)),
    )


def config_of_model(config: Config, bundle: Bundle) -> Config:
    """The config of a run that scores, with the sections that are the model's own, for records."""
    own = bundle.config
    return dataclasses.replace(config, text=own.text, network=own.network, training=own.training)


def scoring_of_every_row(config: ScoringConfig, beam_options: Sequence[str]) -> ScoringConfig:
    """How documents are scored to be measured: with the run's engine, and no prediction left out.

    What decides about the answers and the files of predictions (`min_score`, `max_unknown`, further
    models, output) has its default.
    """
    return ScoringConfig(
        engine=config.engine,
        threads=process_threads(config, beam_options),
        long_documents=config.long_documents,
    )


def open_and_pass_over_corpus(
    define: Callable[[beam.Pipeline, Sequence[Unit]], None],
    corpus: CorpusConfig,
    *,
    step: str,
    outcome: str,
    staging: ScoringStaging,
    beam_options: Sequence[str],
    files: Files,
) -> CountedCorpus:
    """Finds the inputs of a corpus and runs one pipeline over them; see `pass_over_corpus`.

    Raises:
        AccountingError: if the rows of a file do not balance.
        ConfigError: for missing inputs or columns.
        RunError: if the pipeline fails, or too many files are broken.
    """
    with opened_inputs(
        corpus, scratch=staging.tables, beam_options=beam_options, files=files
    ) as inputs:
        counted = pass_over_corpus(
            define,
            inputs,
            corpus,
            step=step,
            outcome=outcome,
            staging=staging,
            beam_options=beam_options,
            files=files,
        )
    try:
        check_broken(counted.rows, corpus, outcome=outcome)
        require_named_columns(counted.counts, inputs, corpus, files=files)
    except (ConfigError, RunError):
        files.delete([staging.folder])
        raise
    return counted
