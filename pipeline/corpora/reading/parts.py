"""Parts of files: what one worker reads, and how a large file is divided."""

import dataclasses
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading.streams import (
    CHUNK_BYTES,
    BrokenFileError,
    compression_of,
    ends_lines_with_a_byte,
    line_blocks,
    text_chunks,
    without_blanks,
)

PART_BYTES = 16 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilePart:
    """A file, or the part of it that one worker reads.

    Attributes:
        path: where the file lies; its suffix tells the compression.
        source_file: the name of the file in rows and generated document ids.
        input: the input that the file belongs to.
        start, end: the range of the part. In bytes where lines are read (a line
            belongs to the part in which it starts), in row groups for Parquet.
            `end=None` is the end of the file.
        first_row: the number of the part's first row in the file.
        limit: how many rows are read at most; None: all.
    """

    path: str
    source_file: str
    input: InputConfig
    start: int = 0
    end: int | None = None
    first_row: int = 0
    limit: int | None = None

    @property
    def reads_lines(self) -> bool:
        """Whether each line of the file is a row of its own."""
        return self.input.format in ("jsonl", "trec") or (
            self.input.format == "text" and self.input.document == "line"
        )

    @property
    def counts_blank_lines(self) -> bool:
        """Whether a blank line is a row."""
        return self.input.format == "text"


def split_file(
    part: FilePart, *, size: int, part_bytes: int = PART_BYTES, stream: BinaryIO | None = None
) -> list[FilePart]:
    """Divides a file into parts that can be read independently.

    Uncompressed JSON lines, text (one document a line) and TREC files are
    divided into byte ranges, Parquet files into ranges of row groups; any other
    file is one part.

    Args:
        part: the whole file.
        size: the file's size in bytes.
        part_bytes: the size of a part, at least 1. A Parquet part holds at least
            one row group.
        stream: the open file; needed for Parquet, whose footer names the groups.

    Returns:
        Parts in file order that together hold every row once. `first_row` is set
        for Parquet; for byte ranges it is 0, to be set from the `count_rows` of
        the parts before.

    Raises:
        ValueError: for a Parquet file without a stream.
    """
    if part.input.format == "parquet":
        if stream is None:
            raise ValueError(
                f"{part.path}: expected the open file, whose footer names the row groups, "
                "got stream=None. Pass stream=."
            )
        return _split_row_groups(part, part_bytes=part_bytes, stream=stream)
    whole = (
        not part.reads_lines
        or compression_of(part.path) is not None
        or not ends_lines_with_a_byte(part.input.encoding)
    )
    if whole or size <= part_bytes:
        return [part]
    return [
        dataclasses.replace(part, start=start, end=min(start + part_bytes, size))
        for start in range(0, size, part_bytes)
    ]


def count_rows(stream: BinaryIO, part: FilePart) -> int:
    """Counts the rows that `read_part` finds in a part of lines or row groups.

    Raises:
        ValueError: for a format whose files are never divided.
    """
    if part.input.format == "parquet":
        metadata = open_parquet(stream).metadata
        end = metadata.num_row_groups if part.end is None else part.end
        return sum(metadata.row_group(group).num_rows for group in range(part.start, end))
    if not part.reads_lines:
        raise ValueError(
            f"{part.path}: expected a file of lines or Parquet, got {part.input.format}. "
            "Only the parts of a divided file need counting."
        )
    rows = 0
    for lines in line_blocks(text_chunks(stream, part.path, part.input, part.start, part.end)):
        rows += len(lines if part.counts_blank_lines else without_blanks(lines))
    return rows


def open_parquet(stream: BinaryIO) -> pq.ParquetFile:
    """Opens a Parquet file to be read page by page.

    Raises:
        BrokenFileError: if the file is no Parquet file.
    """
    try:
        return pq.ParquetFile(stream, pre_buffer=False, buffer_size=CHUNK_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise parquet_damage(error) from error


def parquet_damage(error: Exception) -> BrokenFileError:
    """The damage that an error of Arrow tells of; one of the storage is raised again."""
    if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
        raise error
    return BrokenFileError(
        f"expected Parquet, got damaged data ({error}); the rest of the file is lost"
    )


def _split_row_groups(part: FilePart, *, part_bytes: int, stream: BinaryIO) -> list[FilePart]:
    try:
        metadata = open_parquet(stream).metadata
    except BrokenFileError:
        return [part]  # whoever reads it reports the damage
    parts: list[FilePart] = []
    start = rows_before = rows = size = 0
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        rows += group.num_rows
        size += group.total_byte_size
        if size >= part_bytes or index == metadata.num_row_groups - 1:
            parts.append(
                dataclasses.replace(part, start=start, end=index + 1, first_row=rows_before)
            )
            start, rows_before, size, rows = index + 1, rows_before + rows, 0, 0
    return parts or [part]
