"""The pilot of `score --dry-run`: scores a sample to estimate time, memory and output."""

import dataclasses
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from model.scoring.scorer import Scorer
from pipeline.config.sections import Config, CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.accounting import has_too_many_rejections, rejected_fraction
from pipeline.corpora.reading.columns import (
    columns_of_no_row,
    corpus_to_score,
    find_column_notes,
)
from pipeline.corpora.reading.counts import add_counts, add_to
from pipeline.corpora.reading.input_files import InputFile, find_input_files
from pipeline.corpora.reading.parts import open_part, whole_file
from pipeline.corpora.reading.row_numbers import count_rows
from pipeline.corpora.scoring.prediction_counts import filter_by_score
from pipeline.corpora.scoring.predictions import PredictionContext
from pipeline.corpora.scoring.score_documents import score_documents
from pipeline.corpora.scoring.scorers import shared_scorers
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.process.told_apart import told_apart
from pipeline.reports.formats import byte_size, counted, duration
from pipeline.stages.score import layout_of, partition_schema
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files
from pipeline.storage.parquet_files import ParquetFiles
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.storage.staging import StagedFile

PILOT_DOCUMENTS = 4_000
PILOT_FILES = 5
PILOT_BYTES = 16 << 20  # of each file are read, if it has as many, to tell its rows a byte

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
    samples = _read_samples(inputs, config, files=files)
    written_bytes = _write_predictions(samples, scorers, config, schema=schema, files=files)
    seconds = max(time.monotonic() - started, 1e-3)
    scored = sum(sample.documents for sample in samples)
    read = sum(sample.read for sample in samples)
    sampled_bytes = max(1, sum(sample.bytes for sample in samples))
    rows_a_byte = sum(sample.rows for sample in samples) / sampled_bytes
    rows = round(rows_a_byte * sum(item.info.bytes for item in inputs))
    rejected = round(rows * sum(sample.rejected for sample in samples) / max(read, 1))
    times_the_pilot = (rows - rejected) / max(scored, 1)
    counts = add_counts(sample.counts for sample in samples)
    broken = {sample.path: sample.broken for sample in samples if sample.broken}
    whole = len(samples) == len(inputs) and all(sample.is_whole for sample in samples)
    estimated = {"read": rows, "rejected": {"": rejected}}
    return Estimate(
        pilot_documents=scored,
        pilot_seconds=seconds,
        documents=rows - rejected,
        rejected=rejected,
        seconds=start_seconds + seconds * times_the_pilot,
        memory_bytes=_peak_bytes() + RUNNER_BYTES + 2 * layout_of(config).row_group_bytes,
        output_bytes=round(written_bytes * times_the_pilot),
        broken=broken,
        notes=[*find_column_notes(counts)],
        failures=[
            *_find_failures(estimated, counts, config.corpus, broken=len(broken), whole=whole)
        ],
    )


def _find_failures(
    rows: Mapping[str, Any],
    counts: Mapping[str, Any],
    corpus: CorpusConfig,
    *,
    broken: int,
    whole: bool,
) -> Iterator[str]:
    """Why a run must fail, in sentences.

    Args:
        rows: how many rows the corpus has and rejects, estimated.
        counts: which columns the documents of the pilot have.
        corpus: the limits.
        broken: how many files of the pilot are broken.
        whole: whether the pilot read the whole corpus.
    """
    if broken > corpus.max_broken_files:
        yield (
            f"{counted(broken, 'input file')} cannot be read to the end, expected at most "
            f"{corpus.max_broken_files} (corpus.max_broken_files)."
        )
    if has_too_many_rejections(rows, corpus.max_rejected_fraction):
        share, limit = told_apart(
            rejected_fraction(rows), corpus.max_rejected_fraction, percent=True
        )
        yield (
            f"{'' if whole else 'about '}{share} of the rows would be rejected, expected at most "
            f"{limit} (corpus.max_rejected_fraction)."
        )
    if not whole:
        return
    if not rows["read"] and not broken:
        yield "expected rows, got none. Check that the corpus of the date is complete."
    for field, name, _ in columns_of_no_row(counts):
        if field == "id":
            yield f"corpus.columns.id: expected the column {name!r}, got none in any document."


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Sample:
    """The first documents of a file, and how many rows its first `bytes` hold.

    The pilot read `read` rows, and `rejected` of them were rejected; `counts` says which columns
    they have. `broken` says what is wrong with the file, if the pilot met damage. `is_whole` says
    that the pilot read all of it.
    """

    path: str
    batches: Sequence[pa.RecordBatch]
    rows: int
    bytes: int
    read: int
    rejected: int
    counts: Mapping[str, Any]
    broken: str = ""
    is_whole: bool = False

    @property
    def documents(self) -> int:
        return sum(batch.num_rows for batch in self.batches)


def _read_samples(inputs: Sequence[InputFile], config: Config, *, files: Files) -> list[_Sample]:
    """Samples of at most `PILOT_FILES` files, `PILOT_DOCUMENTS` documents together."""
    sampled = inputs[:: -(-len(inputs) // PILOT_FILES)]
    documents = PILOT_DOCUMENTS // len(sampled)
    return [_read_sample(item, config, files=files, documents=documents) for item in sampled]


def _write_predictions(
    samples: Sequence[_Sample],
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


def _read_sample(item: InputFile, config: Config, *, files: Files, documents: int) -> _Sample:
    part = whole_file(item)
    batches: list[pa.RecordBatch] = []
    wanted, rows, size, broken = documents, 0, item.info.bytes, ""
    read = rejected = 0
    is_whole = True
    counts: dict[str, Any] = {}
    try:
        with open_part(files, part) as stream:
            counted = count_rows(stream, part) if item.input.format == "parquet" else None
            for batch in read_part(stream, part, corpus=corpus_to_score(config.corpus)):
                rows += batch.rows_read
                read += batch.rows_read
                rejected += batch.rejections.num_rows
                add_to(counts, batch.columns)
                taken = batch.documents.slice(0, wanted)
                wanted -= taken.num_rows
                batches.append(taken)
                if not wanted and counted is not None:
                    is_whole = rows == counted
                    rows = counted
                    break
                if not wanted and (position := stream.tell()) >= PILOT_BYTES:
                    size, is_whole = position, False
                    break
    except BrokenFileError as error:
        broken = error.detail
    return _Sample(
        path=part.path, batches=batches, rows=rows, bytes=size, read=read, rejected=rejected,
        counts=counts, broken=broken, is_whole=is_whole,
    )  # fmt: skip


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
