"""The first rows of a few files of a corpus, and why a run must fail by what they show."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.accounting import has_too_many_rejections, rejected_fraction
from pipeline.corpora.reading.columns import columns_of_no_row
from pipeline.corpora.reading.counts import add_counts, add_to
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.parts import open_part, whole_file
from pipeline.corpora.reading.row_numbers import count_rows
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.process.told_apart import told_apart
from pipeline.storage.files import Files

SAMPLED_DOCUMENTS = 4_000
SAMPLED_FILES = 5
SAMPLED_BYTES = 16 << 20  # of each file are read, if it has as many, to tell its rows a byte


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """The first documents of a file, and how many rows its first `bytes` hold.

    `read` rows were read, and `rejected` of them were rejected; `counts` says which columns
    they have. `broken` says what is wrong with the file, if damage was met. `is_whole` says
    that all of it was read.
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
        """How many documents the batches have."""
        return sum(batch.num_rows for batch in self.batches)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampledCorpus:
    """What the samples say of the whole corpus.

    Attributes:
        samples: of its files.
        read: about how many rows it has.
        rejected: about how many of them are rejected while they are read.
        counts: which columns the documents of the samples have.
        broken: the files of the samples that cannot be read to their end, and why.
        is_whole: whether the samples are all rows, so that the numbers are exact.
    """

    samples: Sequence[Sample]
    read: int
    rejected: int
    counts: Mapping[str, Any]
    broken: Mapping[str, str]
    is_whole: bool


def sample_corpus(
    inputs: Sequence[InputFile], corpus: CorpusConfig, *, files: Files
) -> SampledCorpus:
    """Reads the first rows of at most `SAMPLED_FILES` files, spread over the inputs.

    Raises:
        ConfigError: if a file lacks a column that is needed.
    """
    sampled = inputs[:: -(-len(inputs) // SAMPLED_FILES)]
    documents = SAMPLED_DOCUMENTS // len(sampled)
    samples = [_read_sample(item, corpus, files=files, documents=documents) for item in sampled]
    read = sum(sample.read for sample in samples)
    sampled_bytes = max(1, sum(sample.bytes for sample in samples))
    rows_a_byte = sum(sample.rows for sample in samples) / sampled_bytes
    rows = round(rows_a_byte * sum(item.info.bytes for item in inputs))
    return SampledCorpus(
        samples=samples,
        read=rows,
        rejected=round(rows * sum(sample.rejected for sample in samples) / max(read, 1)),
        counts=add_counts(sample.counts for sample in samples),
        broken={sample.path: sample.broken for sample in samples if sample.broken},
        is_whole=len(samples) == len(inputs) and all(sample.is_whole for sample in samples),
    )


def find_failures(sampled: SampledCorpus, corpus: CorpusConfig) -> Iterator[str]:
    """Why a run must fail if the rest of the corpus is like the samples, in sentences."""
    broken = len(sampled.broken)
    if broken > corpus.max_broken_files:
        yield (
            f"{broken} input file{'s' * (broken > 1)} cannot be read to the end, expected at most "
            f"{corpus.max_broken_files} (corpus.max_broken_files)."
        )
    rows = {"read": sampled.read, "rejected": {"": sampled.rejected}}
    if has_too_many_rejections(rows, corpus.max_rejected_fraction):
        share, limit = told_apart(
            rejected_fraction(rows), corpus.max_rejected_fraction, percent=True
        )
        yield (
            f"{'' if sampled.is_whole else 'about '}{share} of the rows would be rejected, "
            f"expected at most {limit} (corpus.max_rejected_fraction)."
        )
    if not sampled.is_whole:
        return
    if not sampled.read and not broken:
        yield "expected rows, got none. Check that the corpus of the date is complete."
    for field, name, _ in columns_of_no_row(sampled.counts):
        if field == "id":
            yield f"corpus.columns.id: expected the column {name!r}, got none in any document."


def _read_sample(item: InputFile, corpus: CorpusConfig, *, files: Files, documents: int) -> Sample:
    part = whole_file(item)
    batches: list[pa.RecordBatch] = []
    wanted, rows, size, broken = documents, 0, item.info.bytes, ""
    read = rejected = 0
    is_whole = True
    counts: dict[str, Any] = {}
    try:
        with open_part(files, part) as stream:
            counted = count_rows(stream, part) if item.input.format == "parquet" else None
            for batch in read_part(stream, part, corpus=corpus):
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
                if not wanted and (position := stream.tell()) >= SAMPLED_BYTES:
                    size, is_whole = position, False
                    break
    except BrokenFileError as error:
        broken = error.detail
    return Sample(
        path=part.path, batches=batches, rows=rows, bytes=size, read=read, rejected=rejected,
        counts=counts, broken=broken, is_whole=is_whole,
    )  # fmt: skip
