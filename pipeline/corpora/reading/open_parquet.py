"""Opens Parquet files; tells damaged data from a failure of the storage."""

import os
from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.reading.streams import CHUNK_BYTES
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.kinds import HEAD_BYTES, compression_in, require_known_kind

_MAGIC = b"PAR1"
_SEARCHED_BYTES = 4 << 20  # indexes of pages and Bloom filters lie before the footer, too
_TRAILER_BYTES = 8  # the size of the footer, and the magic


def open_parquet(stream: BinaryIO) -> pq.ParquetFile:
    """Opens a Parquet file to be read page by page. The checksums of its pages are verified.

    Raises:
        BrokenFileError: if the file is not a Parquet file.
    """
    head = stream.read(HEAD_BYTES)
    if not head.startswith(b"PAR"):
        _require_parquet(head)
    stream.seek(0)
    try:
        return pq.ParquetFile(
            stream, pre_buffer=False, buffer_size=CHUNK_BYTES, page_checksum_verification=True
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a name of a column, too
        raise parquet_damage(error) from error


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


def require_whole(
    stream: BinaryIO, metadata: pq.FileMetaData, groups: Sequence[int], names: Sequence[str]
) -> None:
    """Checks, after row groups were read, that the footer counts all rows that the file has.

    Only the columns that were read are looked at: pyarrow ends the process where it is asked for
    one whose metadata are damaged, but reading it raises an error first.

    Args:
        stream: the file.
        metadata: its footer.
        groups: the row groups that were read.
        names: the columns that were read.

    Raises:
        BrokenFileError: if a column has more or fewer values than its row group has rows; or if
            files were concatenated, of which the last footer counts the rows of one alone.
    """
    end = len(_MAGIC)
    leaves = [metadata.schema.column(index) for index in range(metadata.num_columns)]
    chosen = [at for at, leaf in enumerate(leaves) if leaf.path.split(".")[0] in names]
    for group in map(metadata.row_group, groups):
        for at in chosen:
            column = group.column(at)
            if leaves[at].max_repetition_level == 0 and column.num_values != group.num_rows:
                raise BrokenFileError(
                    f"expected {group.num_rows:,} values in a column of a row group, got "
                    f"{column.num_values:,}"
                )
            begins = [column.data_page_offset, column.dictionary_page_offset]
            begin = min(offset for offset in begins if offset is not None)
            end = max(end, begin + column.total_compressed_size)
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
    return BrokenFileError(
        f"expected Parquet, got damaged data ({' '.join(str(error).split())}); "
        f"{counted or 'the rest of the file cannot be read'}"
    )
