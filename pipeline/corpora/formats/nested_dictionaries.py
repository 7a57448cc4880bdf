"""Lists of texts in Parquet, as numbers of the texts in a dictionary, until they are known to fit.

A dictionary holds every text once. A list may repeat a text of a megabyte a million times in a few
bytes, and Arrow would make all of them. So it gives the numbers, from which the size of each row
follows.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.watched_pages import ROWS_BYTES


def plain_types(schema: pa.Schema, names: Sequence[str]) -> dict[str, pa.DataType]:
    """The types without dictionaries of those columns that have some in lists, maps or structs."""
    kinds = {name: schema.field(name).type for name in names}
    nested = {name: kind for name, kind in kinds.items() if not pa.types.is_dictionary(kind)}
    return {name: plain for name, kind in nested.items() if (plain := _plain(kind)) != kind}


def unfold_nested(
    batch: pa.RecordBatch, types: Mapping[str, pa.DataType]
) -> Iterator[pa.RecordBatch]:
    """The same rows, in several batches if need be, with texts in place of numbers within columns.

    Args:
        batch: the rows.
        types: from `plain_types`.

    Raises:
        BrokenFileError: at a row of more than `ROWS_BYTES`, after the rows before it were yielded.
    """
    sizes = dict.fromkeys(types, 0)
    if sum(_most_bytes(batch.column(name)) for name in types) > ROWS_BYTES:
        sizes = {name: int(_row_bytes(batch.column(name)).sum()) for name in types}
    if sum(sizes.values()) <= ROWS_BYTES:
        for name, kind in types.items():
            at = batch.schema.get_field_index(name)
            batch = batch.set_column(at, name, batch.column(at).cast(kind))
        yield batch
    elif batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from unfold_nested(batch.slice(0, half), types)
        yield from unfold_nested(batch.slice(half), types)
    else:
        largest = max(sizes, key=sizes.__getitem__)
        raise BrokenFileError(
            f"expected rows of at most {ROWS_BYTES:,} bytes, got one with {sizes[largest]:,} bytes "
            f"in column {largest!r}; the rest of the file was not read"
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


def _most_bytes(column: pa.Array) -> int:
    """No less than the bytes of the texts that are numbers now; found faster than their sum."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
        return int(longest) * len(column)
    if pa.types.is_map(kind):
        return _most_bytes(column.keys) + _most_bytes(column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _most_bytes(column.values)
    return sum(map(_most_bytes, column.flatten())) if pa.types.is_struct(kind) else 0


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
