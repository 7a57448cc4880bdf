"""Reads a file of any format, or a part of one, into documents and rejections.

The format module turns the bytes into raw rows; `check_rows` turns the raw rows into documents and
rejections.
"""

import dataclasses
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from model.config import ConfigError
from pipeline.config.inputs import Format
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats import csv_files, jsonl, parquet, semeval, text, tfrecord, trec
from pipeline.corpora.reading.check_rows import ReadBatch, check_rows
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import CHUNK_BYTES
from pipeline.corpora.stored.broken_file import BrokenFileError

BATCH_ROWS = 2_000


class _ReadFormat(Protocol):
    """The function of a format module that turns the bytes of a part into raw rows."""

    def __call__(
        self,
        stream: BinaryIO,
        part: FilePart,
        *,
        columns: ColumnsConfig,
        limit: int,
        batch_rows: int,
    ) -> Iterator[RawRows]: ...


_FORMATS: dict[Format, _ReadFormat] = {
    "jsonl": jsonl.read_jsonl,
    "csv": csv_files.read_csv,
    "parquet": parquet.read_parquet,
    "text": text.read_text,
    "tfrecord": tfrecord.read_tfrecord,
    "semeval": semeval.read_semeval,
    "trec": trec.read_trec,
}

# The columns of the formats whose files do not name their columns.
_COLUMNS: dict[Format, tuple[str, ...]] = {
    "text": text.COLUMNS,
    "semeval": semeval.COLUMNS,
    "trec": trec.COLUMNS,
}


def read_part(
    stream: BinaryIO, part: FilePart, *, corpus: CorpusConfig, batch_rows: int = BATCH_ROWS
) -> Iterator[ReadBatch]:
    """Reads the rows of a part in order; each becomes a document or a rejection.

    A batch has at most `batch_rows` rows and little more than 8 MiB of input. No more of the file
    is held in memory.

    Args:
        stream: the file as stored; it is decompressed here. The stream must be able to seek for
            Parquet, and for a part that does not begin at 0.
        part: what to read.
        corpus: names the columns and the largest size of a text. A row of more than eight times
            that size plus 1 MiB is rejected without being parsed.
        batch_rows: the largest number of rows in a batch.

    Raises:
        BrokenFileError: if the file cannot be read to the end of the part, also for want of memory,
            after the whole rows before the damage were yielded.
        ConfigError: if the file has no such column as the config requires.
    """
    batches = _checked_batches(stream, part, corpus=corpus, batch_rows=batch_rows)
    while True:
        try:
            batch = next(batches, None)
        except MemoryError as error:
            raise BrokenFileError(
                "expected rows that fit in memory, got too large ones: "
                f"{' '.join(str(error).split()) or 'out of memory'}; the rest was not read"
            ) from error
        if batch is None:
            return
        yield batch


def _checked_batches(
    stream: BinaryIO, part: FilePart, *, corpus: CorpusConfig, batch_rows: int
) -> Iterator[ReadBatch]:
    columns = columns_of(part, corpus.columns)
    limit = 8 * corpus.max_text_bytes + CHUNK_BYTES
    row = part.first_row
    part = dataclasses.replace(part, max_decompressed_bytes=corpus.max_decompressed_bytes)

    def check(rows: RawRows) -> ReadBatch:
        return check_rows(
            rows,
            source_file=part.source_file,
            first_row=row,
            columns=columns,
            split=part.input.split,
            max_text_bytes=corpus.max_text_bytes,
            null_values=part.input.null_values,
        )

    read = _FORMATS[part.input.format]
    for rows in read(stream, part, columns=columns, limit=limit, batch_rows=batch_rows):
        if part.limit is not None:
            rows = rows.head(part.first_row + part.limit - row)
        yield check(rows)
        row += rows.size
        if row - part.first_row == part.limit:
            return


def columns_of(part: FilePart, columns: ColumnsConfig) -> ColumnsConfig:
    """The columns to read from a file of this format.

    Text, SemEval and TREC files have fixed columns: `text`, `label` and for some `id`; a line of
    text has no `id`. The config may choose another of their columns as the label, such as
    `fine_label` of TREC.

    Raises:
        ConfigError: if the config keeps a column that the format does not have.
    """
    names = _COLUMNS.get(part.input.format)
    if names is None:
        return columns
    for name in columns.keep:
        if name not in names:
            raise ConfigError(
                f"{part.path}: expected kept columns among {', '.join(names)}, got {name!r}. "
                "Edit corpus.columns.keep."
            )
    is_line_of_text = part.input.format == "text" and part.input.document == "line"
    return dataclasses.replace(
        columns,
        text="text",
        id="id" if "id" in names and not is_line_of_text else None,
        label=columns.label if columns.label in (None, *names) else "label",
        labels=None,
        probabilities=None,
        weight=None,
        rationale=None,
        split=None,
        group=None,
    )
