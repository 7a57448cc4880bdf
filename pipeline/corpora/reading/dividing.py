"""Divides files into parts that workers read independently."""

import dataclasses
from collections.abc import Iterable
from itertools import groupby
from typing import BinaryIO

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading.input_files import InputFile
from pipeline.corpora.reading.open_parquet import open_parquet
from pipeline.corpora.reading.parts import FilePart, open_part, whole_file
from pipeline.corpora.reading.streams import ends_lines_with_a_byte, is_divisible, read_head
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.kinds import named_compression
from pipeline.storage.files import Files

PART_BYTES = 16 << 20


def divide_file(
    part: FilePart, *, size: int, part_bytes: int = PART_BYTES, stream: BinaryIO | None = None
) -> list[FilePart]:
    """Divides a file into parts that can be read independently.

    Uncompressed JSON lines, text (one document per line) and TREC files are
    divided into byte ranges, Parquet files into ranges of row groups; any other
    file is one part.

    Args:
        part: the whole file.
        size: the size of the file in bytes.
        part_bytes: the size of a part, at least 1. A Parquet part holds at least
            one row group.
        stream: the open file; needed for Parquet, whose footer lists the row groups. A file of
            lines is not divided if its first bytes show that it is compressed, in another encoding,
            or one JSON document.

    Returns:
        Parts in file order; each row is in exactly one of them. `first_row` is set
        for Parquet. For byte ranges it is 0; `number_rows` sets it.

    Raises:
        ValueError: for a Parquet file without a stream.
    """
    if part.input.format == "parquet":
        if stream is None:
            raise ValueError(
                f"{part.path}: expected the open file, whose footer lists the row groups, "
                "got stream=None. Pass stream=."
            )
        return _divide_row_groups(part, part_bytes=part_bytes, stream=stream)
    whole = (
        not part.reads_lines
        or named_compression(part.path) is not None
        or not ends_lines_with_a_byte(part.input.encoding)
    )
    if whole or size <= part_bytes:
        return [part]
    if stream is not None and not is_divisible(read_head(stream), part):
        return [part]
    return [
        dataclasses.replace(part, start=start, end=min(start + part_bytes, size))
        for start in range(0, size, part_bytes)
    ]


def divide_files(
    files: Files, inputs: Iterable[InputFile], *, part_bytes: int = PART_BYTES
) -> list[FilePart]:
    """Divides the files of a corpus as `divide_file` does."""
    parts: list[FilePart] = []
    for item in inputs:
        whole = whole_file(item)
        # A small file is not opened here: there may be many of them.
        if item.input.format == "parquet" or item.info.bytes > part_bytes:
            try:
                with open_part(files, whole) as stream:
                    parts += divide_file(
                        whole, size=item.info.bytes, part_bytes=part_bytes, stream=stream
                    )
            except BrokenFileError:  # reported when the file is read
                parts.append(whole)
        else:
            parts.append(whole)
    return parts


def limit_files(inputs: Iterable[InputFile], *, limit: int) -> list[FilePart]:
    """Parts that hold the first rows: at most `limit` of each input, divided evenly over its files.

    If an input has more files than `limit`, one row is read from every n-th file.
    """
    parts: list[FilePart] = []
    for _, group in groupby(inputs, key=_input):
        items = list(group)
        for index, item in enumerate(items):
            share = (index + 1) * limit // len(items) - index * limit // len(items)
            if share:
                parts.append(dataclasses.replace(whole_file(item), limit=share))
    return parts


def _divide_row_groups(part: FilePart, *, part_bytes: int, stream: BinaryIO) -> list[FilePart]:
    try:
        metadata = open_parquet(stream).metadata
    except BrokenFileError:
        return [part]  # the damage is reported when the part is read
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


def _input(item: InputFile) -> InputConfig:
    return item.input
