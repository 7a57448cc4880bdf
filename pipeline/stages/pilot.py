"""The pilot of `--dry-run`: scores a sample to estimate time, memory and output."""

import dataclasses
import resource
import sys
import time
from collections.abc import Mapping, Sequence

import pyarrow as pa

from model.scoring.scorer import Scorer
from pipeline.config.sections import Config
from pipeline.corpora.formats.sampling import Sample, find_failures, sample_corpus
from pipeline.corpora.reading.columns import (
    corpus_to_prepare,
    corpus_to_score,
    find_column_notes,
)
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.corpora.scoring.prediction_counts import filter_by_score
from pipeline.corpora.scoring.predictions import PredictionContext
from pipeline.corpora.scoring.score_documents import score_documents
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.reports.formats import byte_size, duration
from pipeline.stages.score import layout_of, partition_schema
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files
from pipeline.storage.parquet_files import ParquetFiles
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.storage.staging import StagedFile

# Memory of Beam's runner and its buffers. The pilot runs without Beam, so it is added.
RUNNER_BYTES = 150 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a whole run is expected to take in one process like the pilot's.

    Attributes:
        pilot_documents: how many documents the pilot scored.
        pilot_seconds: how long it took to read, score and write them.
        documents: how many documents the whole input has, without the rows that are rejected.
        seconds: how long the whole run takes, the loading of the models included.
        memory_bytes: the peak memory of the process.
        output_bytes: the size of the predictions.
        rejected: how many rows of the whole input are rejected.
        broken: the files of the pilot that cannot be read to their end, and why.
        notes: on columns that the documents of the pilot lack, in sentences.
        failures: why the run would publish nothing, if the rest of the corpus is like the pilot's.
    """

    pilot_documents: int
    pilot_seconds: float
    documents: int
    seconds: float
    memory_bytes: int
    output_bytes: int
    rejected: int = 0
    broken: Mapping[str, str] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()
    failures: Sequence[str] = ()

    def summary(self) -> list[str]:
        """The lines that the command prints."""
        speed = self.pilot_documents / self.pilot_seconds
        return [
            f"pilot        {self.pilot_documents:,} documents, {speed:,.0f} documents/s",
            f"would score  about {self.documents:,} documents in {duration(self.seconds)}, "
            "with one process like this one",
            *([f"would reject about {self.rejected:,} rows"] if self.rejected else []),
            f"would need   about {byte_size(self.memory_bytes)} of memory a process",
            f"would fill   about {byte_size(self.output_bytes)} of predictions",
            *(f"note         {note}" for note in self.notes),
            *(f"broken       {file}: {why}" for file, why in self.broken.items()),
            *(f"would fail   nothing would be published: {why}" for why in self.failures),
        ]


def find_failures_of_preparing(config: Config, *, files: Files) -> list[str]:
    """Why `prepare` must fail, by a sample of the corpus. It rejects more rows than reading does.

    Raises:
        ConfigError: for missing inputs or columns.
    """
    corpus = corpus_to_prepare(config.corpus)
    sampled = sample_corpus(find_input_files(files, corpus), corpus, files=files)
    return [*find_failures(sampled, corpus)]


def estimate_scoring(config: Config, *, model: str, files: Files) -> Estimate:
    """Scores documents from the beginning of a few files, spread over the input.

    Raises:
        BundleError, ConfigError: as `pipeline.stages.score.score` does.
    """
    started = time.monotonic()
    models = [model, *config.scoring.further_models]
    schema = partition_schema(config, [open_bundle(files, folder) for folder in models])
    scorers = shared_scorers(files, models, config.scoring)
    start_seconds = time.monotonic() - started
    inputs = find_input_files(files, config.corpus)
    started = time.monotonic()
    sampled = sample_corpus(inputs, corpus_to_score(config.corpus), files=files)
    written_bytes = _write_predictions(sampled.samples, scorers, config, schema=schema, files=files)
    seconds = max(time.monotonic() - started, 1e-3)
    scored = sum(sample.documents for sample in sampled.samples)
    used = sampled.read - sampled.rejected
    times_the_pilot = used / max(scored, 1)
    return Estimate(
        pilot_documents=scored,
        pilot_seconds=seconds,
        documents=used,
        rejected=sampled.rejected,
        seconds=start_seconds + seconds * times_the_pilot,
        memory_bytes=_peak_bytes() + RUNNER_BYTES + 2 * layout_of(config).row_group_bytes,
        output_bytes=round(written_bytes * times_the_pilot),
        broken=sampled.broken,
        notes=[*find_column_notes(sampled.counts)],
        failures=[*find_failures(sampled, config.corpus)],
    )


def _write_predictions(
    samples: Sequence[Sample],
    scorers: Sequence[Scorer],
    config: Config,
    *,
    schema: pa.Schema,
    files: Files,
) -> int:
    """Scores the samples into files that are deleted again; returns how many bytes they had."""
    context = PredictionContext.of_run("pilot", scorers, config.scoring)
    with scratch_folder("pilot") as scratch:
        output = ParquetFiles(schema, layout_of(config), folder=scratch, files=files)
        staged: list[StagedFile] = []
        for batch in (batch for sample in samples for batch in sample.batches):
            for scored in score_documents(scorers[0], batch, context=context):
                chosen = filter_by_score(scored.predictions, config.scoring.min_score)
                staged += output.write(chosen)
        staged += output.close()
    return sum(file.bytes for file in staged)


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
