"""Parquet files -> raw rows; a part of a file is a range of its row groups."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats.arrow_values import Unreadable, interval_values, python_values
from pipeline.corpora.formats.nested_dictionaries import plain_types, unfold_nested
from pipeline.corpora.reading.columns import input_columns, require_columns
from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import Failure, RowError, too_large
from pipeline.corpora.reading.numerals.json_text import json_text
from pipeline.corpora.reading.open_parquet import (
    column_chunks,
    count_footer_rows,
    interval_columns,
    open_parquet,
    parquet_damage,
    require_whole,
    wanted_leaves,
)
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import BATCH_BYTES, CHUNK_BYTES
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.watched_pages import ROWS_BYTES, SmallerBatchesError, WatchedPages
from pipeline.schemas import RAW_BYTES

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
    pages = WatchedPages(stream, row_bytes=limit)
    file = open_parquet(pages)
    present = file.schema_arrow.names
    require_columns(part.path, columns, present)
    wanted = [name for name in input_columns(columns) if name in present]
    groups = list(range(file.num_row_groups)[part.start : part.end])
    expected = count_footer_rows(file.metadata, groups)
    leaves = wanted_leaves(file.metadata, wanted)
    of_lists = [leaf.path for leaf in leaves if leaf.is_list and leaf.is_text]
    if of_lists:
        stream.seek(0)
        file = open_parquet(pages, as_dictionaries=of_lists)
    nested = plain_types(file.schema_arrow, wanted)
    widest = max((leaf.width for leaf in leaves), default=0)
    if widest > limit:
        raise BrokenFileError(f"expected values of at most {limit:,} bytes, got ones of {widest:,}")
    rows = min(batch_rows, _DECODED_ROWS, ROWS_BYTES // max(1, widest))

    def record_batches(group: int, rows: int) -> Iterator[pa.RecordBatch]:
        pages.watch(functools.partial(column_chunks, file.metadata, group, leaves), rows=rows)
        for batch in file.iter_batches(rows, row_groups=[group], columns=wanted):
            yield from unfold_nested(batch, nested)

    whole = _until_damage(_fitting_batches(record_batches, groups, max(1, rows)), expected=expected)
    intervals = interval_columns(file.schema)
    left = part.max_decompressed_bytes
    for batch in _join_small(whole, batch_rows=batch_rows):
        yield _decode_columns(batch, part, columns, intervals, limit=limit)
        left -= batch.nbytes
        if left < 0:
            raise BrokenFileError(
                f"expected rows of at most {part.max_decompressed_bytes:,} bytes, got more; the "
                "rest was not read. If it is no mistake, set corpus.max_decompressed_bytes"
            )
    require_whole(stream, file.metadata, groups, leaves)


def _fitting_batches(
    record_batches: Callable[[int, int], Iterator[pa.RecordBatch]], groups: Sequence[int], rows: int
) -> Iterator[pa.RecordBatch]:
    """The rows of row groups, so few at once that they fit in memory.

    Where the pages of a group show that fewer must be made at once, it is read again from its begin
    and the rows that were given are left out.
    """
    for group in groups:
        given = 0
        read_again = True
        while read_again:
            read_again = False
            begin = 0
            try:
                for batch in record_batches(group, rows):
                    known, begin = max(0, given - begin), begin + batch.num_rows
                    if known < batch.num_rows:
                        given = begin
                        yield batch.slice(known)
            except SmallerBatchesError as error:
                rows, read_again = error.rows, True


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
        plain = map(_without_large_dictionaries, record_batches)
        for batch in (part for whole in plain for part in _halved(whole)):
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


def _without_large_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows; values that all rows share count as the bytes of one row otherwise."""
    for at, column in enumerate(batch.columns):
        if pa.types.is_dictionary(column.type) and column.nbytes > CHUNK_BYTES:
            batch = batch.set_column(at, batch.schema.names[at], column.dictionary_decode())
    return batch


def _halved(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The rows of a batch, divided while they have more than `BATCH_BYTES` bytes."""
    if batch.num_rows > 1 and batch.nbytes > BATCH_BYTES:
        half = batch.num_rows // 2
        yield from _halved(batch.slice(0, half))
        yield from _halved(batch.slice(half))
    elif batch.num_rows:
        yield batch


def _decode_columns(
    batch: pa.RecordBatch,
    part: FilePart,
    names: ColumnsConfig,
    intervals: frozenset[str],
    *,
    limit: int,
) -> RawRows:
    """The Python values of a batch; bytes are decoded with the encoding of the input.

    A row with a value of more than `limit` bytes fails.
    """
    failures: dict[int, Failure] = {}
    repaired = set()
    columns: dict[str, list[Any]] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if array.nbytes > limit and batch.num_rows == 1:
            failures[0] = too_large(limit)
            array = pa.nulls(1, array.type)
        if name in intervals:
            columns[name] = interval_values(array)
            continue
        values = python_values(array, uuids=name != names.text)
        encoded = {bytes, Unreadable, list} if name == names.labels else {bytes, Unreadable}
        for index in [] if encoded.isdisjoint(map(type, values)) else range(len(values)):
            value = values[index]
            if type(value) not in encoded:
                continue
            if type(value) is Unreadable:
                detail = f"{value.detail} (in {name!r})"
                failures.setdefault(index, Failure("malformed_row", detail))
                values[index] = None
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
        row = {name: _head(values[index]) for name, values in columns.items()}
        return json_text(row).encode("utf-8", "replace")

    return RawRows(
        size=batch.num_rows,
        columns=columns,
        raw=raw_of,
        failures=failures,
        repaired=frozenset(repaired),
    )


def _head(value: Any) -> Any:
    """The value, or the begin of a long text: no more is shown."""
    return value[:RAW_BYTES] if isinstance(value, str) else value


def _decode(value: Any, part: FilePart) -> tuple[Any, bool]:
    """Bytes, or the bytes in a list, as text; and whether U+FFFD replaces some of them."""
    if type(value) is list:
        decoded = [_decode(each, part) for each in value]
        return [each for each, _ in decoded], any(repaired for _, repaired in decoded)
    if type(value) is not bytes:
        return value, False
    encoding = part.input.encoding
    return decode(value, encoding=encoding, name=encoding, errors=part.input.errors)
