"""Parquet files -> raw rows; a part of a file is a range of its row groups."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import input_columns, require_columns
from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import Failure, RowError
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
            yield _decode_columns(batch, part)


def _decode_columns(batch: pa.RecordBatch, part: FilePart) -> RawRows:
    """The Python values of a batch; bytes are decoded with the encoding of the input."""
    failures: dict[int, Failure] = {}
    repaired = set()
    columns: dict[str, list[Any]] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        values = _python_values(array)
        for index, value in enumerate(values):
            if type(value) is not bytes:
                continue
            try:
                values[index], was_repaired = decode(
                    value,
                    encoding=part.input.encoding,
                    name=part.input.encoding,
                    errors=part.input.errors,
                )
            except RowError as error:
                failures.setdefault(index, error.failure)
            else:
                if was_repaired:
                    repaired.add(index)
        columns[name] = values

    def raw_of(index: int) -> bytes:
        row = {name: values[index] for name, values in columns.items()}
        return json.dumps(row, ensure_ascii=False, default=str).encode()

    return RawRows(
        size=batch.num_rows,
        columns=columns,
        raw=raw_of,
        failures=failures,
        repaired=frozenset(repaired),
    )


def _python_values(array: pa.Array) -> list[Any]:
    """The values of a column: dates and times as strings, strings that are not UTF-8 as bytes."""
    kind = array.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        array = array.cast(pa.timestamp(kind.unit))  # UTC, for every time zone of the column
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        # Arrow's dates have a larger range and a finer resolution than Python's.
        array = array.cast(pa.string())
    try:
        return array.to_pylist()
    except UnicodeDecodeError:  # Arrow does not check that the strings of a file are UTF-8
        return [_python_value(scalar) for scalar in array]


def _python_value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        string = scalar.value if isinstance(scalar, pa.DictionaryScalar) else scalar
        if isinstance(string, pa.StringScalar):
            return string.as_buffer().to_pybytes()
        return b"\xff"  # in a list or a struct: any bytes that do not decode
