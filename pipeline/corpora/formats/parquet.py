"""Parquet files -> raw rows; a part of a file is a range of its row groups."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats.arrow_values import python_values
from pipeline.corpora.reading.columns import input_columns, require_columns
from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import Failure, RowError
from pipeline.corpora.reading.numerals.json_text import json_text
from pipeline.corpora.reading.open_parquet import (
    count_footer_rows,
    open_parquet,
    parquet_damage,
    require_whole,
)
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import BATCH_BYTES
from pipeline.corpora.stored.broken_file import BrokenFileError

# Arrow decodes so many rows at once, whatever their size; 64 cost 0.4 µs a row more than 2,000 do.
_DECODED_ROWS = 64


def read_parquet(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the row groups of a part page by page, and only the columns in use.

    Raises:
        ConfigError: if the file lacks a column that is needed.
        BrokenFileError: if the file is damaged, or does not have the rows that its footer counts;
            the rows before the damage are yielded first.
    """
    file = open_parquet(stream)
    present = file.schema_arrow.names
    require_columns(part.path, columns, present)
    wanted = [name for name in input_columns(columns) if name in present]
    groups = list(range(file.num_row_groups)[part.start : part.end])
    expected = count_footer_rows(file.metadata, groups)
    record_batches = file.iter_batches(
        batch_size=min(batch_rows, _DECODED_ROWS), row_groups=groups, columns=wanted
    )
    whole = _until_damage(record_batches, expected=expected)
    for batch in _join_small(whole, batch_rows=batch_rows):
        yield _decode_columns(batch, part, columns)
    require_whole(stream, file.metadata, groups, wanted)


def _until_damage(
    record_batches: Iterator[pa.RecordBatch], *, expected: int
) -> Iterator[pa.RecordBatch]:
    came = 0
    while True:
        try:
            batch = next(record_batches, None)
        except (pa.ArrowException, OSError) as error:
            counted = f"{came:,} of {expected:,} rows were read"
            raise parquet_damage(error, counted=counted) from error
        if batch is None:
            break
        came += batch.num_rows
        yield batch
    if came != expected:
        raise BrokenFileError(f"expected {expected:,} rows by the footer, got {came:,}")


def _join_small(
    record_batches: Iterator[pa.RecordBatch], *, batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of at most `batch_rows` rows and `BATCH_BYTES` bytes, or of one larger row.

    The bytes are those that the rows hold in memory. The mean over a file would say nothing of a
    few rows of megabytes among thousands of short ones.
    """
    held: list[pa.RecordBatch] = []
    rows = size = 0
    try:
        for batch in (part for whole in record_batches for part in _halved(whole)):
            full = rows + batch.num_rows > batch_rows or size + batch.nbytes > BATCH_BYTES
            if held and full:
                yield pa.concat_batches(held)
                held, rows, size = [], 0, 0
            held.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
    except BrokenFileError:
        if held:
            yield pa.concat_batches(held)
        raise
    if held:
        yield pa.concat_batches(held)


def _halved(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The rows of a batch, divided while they have more than `BATCH_BYTES` bytes."""
    if batch.num_rows > 1 and batch.nbytes > BATCH_BYTES:
        half = batch.num_rows // 2
        yield from _halved(batch.slice(0, half))
        yield from _halved(batch.slice(half))
    elif batch.num_rows:
        yield batch


def _decode_columns(batch: pa.RecordBatch, part: FilePart, names: ColumnsConfig) -> RawRows:
    """The Python values of a batch; bytes are decoded with the encoding of the input."""
    failures: dict[int, Failure] = {}
    repaired = set()
    columns: dict[str, list[Any]] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        values = python_values(array, uuids=name != names.text)
        encoded = {bytes, list} if name == names.labels else {bytes}
        for index in [] if encoded.isdisjoint(map(type, values)) else range(len(values)):
            value = values[index]
            if type(value) not in encoded:
                continue
            try:
                values[index], was_repaired = _decode(value, part)
            except RowError as error:
                failures.setdefault(index, error.failure)
            else:
                if was_repaired:
                    repaired.add(index)
        columns[name] = values

    def raw_of(index: int) -> bytes:
        row = {name: values[index] for name, values in columns.items()}
        return json_text(row).encode("utf-8", "replace")

    return RawRows(
        size=batch.num_rows,
        columns=columns,
        raw=raw_of,
        failures=failures,
        repaired=frozenset(repaired),
    )


def _decode(value: Any, part: FilePart) -> tuple[Any, bool]:
    """Bytes, or the bytes in a list, as text; and whether U+FFFD replaces some of them."""
    if type(value) is list:
        decoded = [_decode(each, part) for each in value]
        return [each for each, _ in decoded], any(repaired for _, repaired in decoded)
    if type(value) is not bytes:
        return value, False
    encoding = part.input.encoding
    return decode(value, encoding=encoding, name=encoding, errors=part.input.errors)
