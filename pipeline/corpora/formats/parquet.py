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
from pipeline.corpora.reading.open_parquet import open_parquet, parquet_damage
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import BATCH_BYTES


def read_parquet(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the row groups of a part page by page, and only the columns in use.

    Raises:
        ConfigError: if the file lacks a column that is needed.
        BrokenFileError: if the file is damaged; the rows before the damage are yielded first.
    """
    file = open_parquet(stream)
    present = file.schema_arrow.names
    require_columns(part.path, columns, present)
    wanted = [name for name in input_columns(columns) if name in present]
    groups = range(file.num_row_groups)[part.start : part.end]
    sizes = [file.metadata.row_group(group) for group in groups]
    row_bytes = sum(each.total_byte_size for each in sizes) // max(
        1, sum(each.num_rows for each in sizes)
    )
    rows = min(batch_rows, max(1, BATCH_BYTES // max(1, row_bytes)))
    record_batches = file.iter_batches(batch_size=rows, row_groups=list(groups), columns=wanted)
    while True:
        try:
            batch = next(record_batches, None)
        except (pa.ArrowException, OSError) as error:
            raise parquet_damage(error) from error
        if batch is None:
            return
        if batch.num_rows:
            yield _decode_columns(batch, part, columns)


def _decode_columns(batch: pa.RecordBatch, part: FilePart, names: ColumnsConfig) -> RawRows:
    """The Python values of a batch; bytes are decoded with the encoding of the input."""
    failures: dict[int, Failure] = {}
    repaired = set()
    columns: dict[str, list[Any]] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        values = python_values(array, uuids=name != names.text)
        for index, value in enumerate(values):
            is_list = name == names.labels and type(value) is list
            if type(value) is not bytes and not is_list:
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
