"""Opens Parquet files; tells damaged data from a failure of the storage."""

import os
from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.reading.streams import CHUNK_BYTES
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.kinds import compression_in, require_known_kind

_HEAD_BYTES = 16
_MAGIC = b"PAR1"
_TRAILER_BYTES = 8  # the size of the footer, and the magic


def open_parquet(stream: BinaryIO) -> pq.ParquetFile:
    """Opens a Parquet file to be read page by page. The checksums of its pages are verified.

    Raises:
        BrokenFileError: if the file is not a Parquet file.
    """
    head = stream.read(_HEAD_BYTES)
    if not head.startswith(b"PAR"):
        _require_parquet(head)
    stream.seek(0)
    try:
        return pq.ParquetFile(
            stream, pre_buffer=False, buffer_size=CHUNK_BYTES, page_checksum_verification=True
        )
    except (pa.ArrowException, OSError) as error:
        raise parquet_damage(error) from error


def require_footer(metadata: pq.FileMetaData, groups: Sequence[int]) -> int:
    """Checks that the footer agrees with itself; returns how many rows the row groups have.

    Args:
        metadata: the footer.
        groups: the row groups to be read.

    Raises:
        BrokenFileError: if its counts of rows differ.
    """
    of_groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if sum(of_groups) != metadata.num_rows or min(of_groups, default=0) < 0:
        raise BrokenFileError(
            f"expected the {metadata.num_rows:,} rows of the footer, got row groups of "
            f"{sum(of_groups):,} rows; the file cannot be read"
        )
    flat = [
        column
        for column in range(metadata.num_columns)
        if metadata.schema.column(column).max_repetition_level == 0
    ]
    for group in groups:
        for column in flat:
            values = metadata.row_group(group).column(column).num_values
            if values != of_groups[group]:
                raise BrokenFileError(
                    f"expected the {of_groups[group]:,} rows of row group {group}, got a column "
                    f"of {values:,} values; the file cannot be read"
                )
    return sum(of_groups[group] for group in groups)


def require_one_file(stream: BinaryIO, metadata: pq.FileMetaData) -> None:
    """Refuses Parquet files that were concatenated: the last footer counts the rows of one alone.

    Between the pages and the footer lie indexes, or in such a file all of the other file.

    Raises:
        BrokenFileError: if one file ends and another one begins there.
    """
    stream.seek(0, os.SEEK_END)
    footer = stream.tell() - metadata.serialized_size - _TRAILER_BYTES
    end = len(_MAGIC)
    if metadata.num_row_groups:
        group = metadata.row_group(metadata.num_row_groups - 1)
        for column in map(group.column, range(group.num_columns)):
            begins = [column.data_page_offset, column.dictionary_page_offset]
            begin = min(offset for offset in begins if offset is not None)
            end = max(end, begin + column.total_compressed_size)
    stream.seek(max(0, end))
    held = b""
    while end < footer and (chunk := stream.read(min(CHUNK_BYTES, footer - end))):
        end += len(chunk)
        if _MAGIC * 2 in held + chunk:
            raise BrokenFileError(
                "expected one Parquet file, got several in one. Divide it: each has its own footer."
            )
        held = chunk[-2 * len(_MAGIC) :]


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
    return BrokenFileError(
        f"expected Parquet, got damaged data ({' '.join(str(error).split())}); "
        f"{counted or 'the rest of the file cannot be read'}"
    )
