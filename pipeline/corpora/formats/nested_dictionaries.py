"""Lists of texts in Parquet, as numbers of the texts in a dictionary, until they are known to fit.

A dictionary holds every text once. A list may repeat a text of a megabyte a million times in a few
bytes, and Arrow would make all of them. So it gives the numbers, from which the size of each row
follows.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.watched_pages import ROWS_BYTES


def unfold_nested(batch: pa.RecordBatch, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The same rows, in several batches if need be, with texts in place of numbers within columns.

    Args:
        batch: the rows.
        names: of the columns that may have dictionaries in lists or structs.

    Raises:
        BrokenFileError: at a row of more than `ROWS_BYTES`, after the rows before it were yielded.
    """
    nested = [name for name in names if _plain(batch.column(name).type) != batch.column(name).type]
    sizes = sum((_row_bytes(batch.column(name)) for name in nested), np.zeros(1, np.int64))
    if sizes.sum() <= ROWS_BYTES:
        for name in nested:
            column = batch.column(name)
            at = batch.schema.get_field_index(name)
            batch = batch.set_column(at, name, column.cast(_plain(column.type)))
        yield batch
    elif batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from unfold_nested(batch.slice(0, half), names)
        yield from unfold_nested(batch.slice(half), names)
    else:
        raise BrokenFileError(
            f"expected rows of at most {ROWS_BYTES:,} bytes in {' and '.join(map(repr, nested))}, "
            f"got one of {sizes.sum():,} bytes; the rest of the file was not read"
        )


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without dictionaries."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_plain_field(kind.value_field))
    if pa.types.is_large_list(kind):
        return pa.large_list(_plain_field(kind.value_field))
    if pa.types.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field))
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(kind.field(at)) for at in range(kind.num_fields)])
    return kind


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(_plain(field.type))


def _row_bytes(column: pa.Array) -> np.ndarray:
    """How many bytes the texts of each row have that are numbers now, int64 `(rows,)`."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        lengths = pc.fill_null(pc.binary_length(column.dictionary), 0)
        return np.asarray(pc.fill_null(lengths.take(column.indices), 0), np.int64)
    if pa.types.is_map(kind):
        return _between(column.offsets, _row_bytes(column.keys) + _row_bytes(column.items))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _between(column.offsets, _row_bytes(column.values))
    total = np.zeros(len(column), np.int64)
    if pa.types.is_struct(kind):
        for field in column.flatten():
            total += _row_bytes(field)
    return total


def _between(offsets: pa.Array, of_values: np.ndarray) -> np.ndarray:
    """The sum over the values of each row, int64 `(rows,)`."""
    ends = np.concatenate([[0], np.cumsum(of_values)])
    return np.diff(ends[np.asarray(offsets)])
