"""Opens Parquet files; tells damaged data from a failure of the storage."""

import os
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.reading.streams import CHUNK_BYTES
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.kinds import HEAD_BYTES, compression_in, require_known_kind
from pipeline.corpora.stored.watched_pages import ColumnChunk, WatchedPages

_MAGIC = b"PAR1"
_SEARCHED_BYTES = 4 << 20  # indexes of pages and Bloom filters lie before the footer, too
_NULL_IN_FIXED_LIST = "Expected all lists to be of size="  # Arrow cannot read nulls among these
_MOST_ITEMS = 1_000_000  # Arrow's own limit
_TRAILER_BYTES = 8  # the size of the footer, and the magic


def open_parquet(
    stream: BinaryIO | WatchedPages, *, as_dictionaries: Sequence[str] = ()
) -> pq.ParquetFile:
    """Opens a Parquet file to be read page by page. The checksums of its pages are verified.

    Args:
        stream: the file.
        as_dictionaries: paths of columns of texts whose dictionaries are not unfolded.

    Raises:
        BrokenFileError: if the file is not a Parquet file.
    """
    head = stream.read(HEAD_BYTES)
    if not head.startswith(b"PAR"):
        _require_parquet(head)
    most_items = _most_items(stream)
    stream.seek(0)
    try:
        return pq.ParquetFile(
            stream,
            read_dictionary=list(as_dictionaries),
            pre_buffer=False,
            buffer_size=CHUNK_BYTES,
            thrift_container_size_limit=most_items,
            page_checksum_verification=True,
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a name of a column, too
        raise parquet_damage(error) from error


def interval_columns(schema: pq.ParquetSchema) -> frozenset[str]:
    """The columns of INTERVAL values, which Arrow gives as 12 bytes; those in lists have a dot."""
    leaves = (schema.column(index) for index in range(len(schema)))
    return frozenset(leaf.path for leaf in leaves if leaf.converted_type == "INTERVAL")


def _most_items(stream: BinaryIO | WatchedPages) -> int:
    """How many items a list in the footer may have: each takes a byte of it, or more.

    Arrow makes room for as many columns or row groups as a list claims, 500 bytes each.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _TRAILER_BYTES))
    footer = int.from_bytes(stream.read(_TRAILER_BYTES)[:4], "little")
    return max(1, min(footer, _MOST_ITEMS))


def count_footer_rows(metadata: pq.FileMetaData, groups: Sequence[int]) -> int:
    """How many rows some row groups have, by the footer.

    Raises:
        BrokenFileError: if the footer does not agree with itself.
    """
    of_groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if sum(of_groups) != metadata.num_rows or min(of_groups, default=0) < 0:
        raise BrokenFileError(
            f"expected the {metadata.num_rows:,} rows of the footer, got row groups of "
            f"{sum(of_groups):,} rows; the file cannot be read"
        )
    return sum(of_groups[group] for group in groups)


class Leaf(NamedTuple):
    """A column of the file: one of the wanted ones, or a field of one that is nested.

    Attributes:
        at: its place among all columns of the file.
        path: its name, with those of the columns that it is in.
        is_list: whether a row may have any number of values.
        is_text: whether its values are texts or bytes of any length.
        width: the bytes of each value, where all have the same number of bytes; 0 otherwise.
    """

    at: int
    path: str
    is_list: bool
    is_text: bool
    width: int


def wanted_leaves(metadata: pq.FileMetaData, names: Sequence[str]) -> list[Leaf]:
    """The columns of a file that belong to the columns with some names."""
    leaves = []
    for at in range(metadata.num_columns):
        leaf = metadata.schema.column(at)
        if any(leaf.path == name or leaf.path.startswith(f"{name}.") for name in names):
            text = leaf.physical_type == "BYTE_ARRAY" and leaf.converted_type != "DECIMAL"
            leaves.append(Leaf(at, leaf.path, leaf.max_repetition_level > 0, text, leaf.length))
    return leaves


def column_chunks(
    metadata: pq.FileMetaData, group: int, leaves: Sequence[Leaf]
) -> list[ColumnChunk]:
    """The pages of some columns in a row group.

    Only columns that Arrow has begun to read may be asked for: pyarrow ends the process where it is
    asked for one whose metadata are damaged, but to read it raises an error first.
    """
    of_group = metadata.row_group(group)
    rows = of_group.num_rows
    chunks = []
    for leaf in leaves:
        column = of_group.column(leaf.at)
        start, dictionary = column.data_page_offset, column.dictionary_page_offset
        if dictionary is not None and 0 < dictionary < start:
            start = dictionary
        chunks.append(
            ColumnChunk(
                name=leaf.path,
                start=start,
                end=start + column.total_compressed_size,
                values=column.num_values,
                rows=rows,
                is_list=leaf.is_list,
            )
        )
    return chunks


def require_whole(
    stream: BinaryIO, metadata: pq.FileMetaData, groups: Sequence[int], leaves: Sequence[Leaf]
) -> None:
    """Checks, after row groups were read, that the footer counts all rows that the file has.

    Args:
        stream: the file.
        metadata: its footer.
        groups: the row groups that were read.
        leaves: the columns that were read.

    Raises:
        BrokenFileError: if a column has more or fewer values than its row group has rows; or if
            files were concatenated, of which the last footer counts the rows of one alone.
    """
    end = len(_MAGIC)
    for group in groups:
        for chunk in column_chunks(metadata, group, leaves):
            if not chunk.is_list and chunk.values != chunk.rows:
                raise BrokenFileError(
                    f"expected {chunk.rows:,} values in a column of a row group, got "
                    f"{chunk.values:,}"
                )
            end = max(end, chunk.end)
    stream.seek(0, os.SEEK_END)
    footer = stream.tell() - metadata.serialized_size - _TRAILER_BYTES
    if metadata.num_row_groups - 1 in groups or not metadata.num_row_groups:
        _require_one_file(stream, end, min(footer, end + _SEARCHED_BYTES))


def _require_one_file(stream: BinaryIO, begin: int, end: int) -> None:
    """Searches the bytes between the last page and the footer: another file may end there.

    Raises:
        BrokenFileError: if a file ends and another one begins there.
    """
    stream.seek(begin)
    content = stream.read(max(0, end - begin))
    if _MAGIC * 2 in content:
        raise BrokenFileError(
            "expected one Parquet file, got several in one. Divide it: each has its own footer."
        )


def _require_parquet(head: bytes) -> None:
    """Names the kind of a file that is no Parquet, where it can.

    Raises:
        BrokenFileError: in any case.
    """
    kind = compression_in(head)
    if kind is not None:
        raise BrokenFileError(
            f"expected Parquet, got a file compressed as {kind}. Decompress it: "
            "Parquet compresses its own pages."
        )
    require_known_kind(head, expected="Parquet")
    found = "an empty file" if not head else "other data"
    raise BrokenFileError(f"expected Parquet, got {found}. Check the `format` of the input.")


def parquet_damage(error: Exception, *, counted: str = "") -> BrokenFileError:
    """Converts an error of Arrow into the error to raise for damaged data.

    Args:
        error: the error of Arrow.
        counted: how many rows were read before, for the message.

    Raises:
        OSError: `error` itself, if it comes from the storage and not from the data.
    """
    if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
        raise error
    text = " ".join(str(error).split())
    if isinstance(error, pa.ArrowNotImplementedError) or _NULL_IN_FIXED_LIST in text:
        return BrokenFileError(
            f"expected types that Arrow can read, got one that it cannot ({text}). Write that "
            "column in another type (128 bits: decimal or text; fixed-size lists: lists), or "
            "leave it out of the file"
        )
    return BrokenFileError(
        f"expected Parquet, got damaged data ({text}); "
        f"{counted or 'the rest of the file cannot be read'}"
    )
