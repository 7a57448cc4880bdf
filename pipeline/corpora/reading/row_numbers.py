"""Numbers the rows of a divided file as in the whole file."""

import contextlib
import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from pipeline.corpora.reading.open_parquet import open_parquet
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.streams import line_blocks, text_chunks, without_blanks
from pipeline.corpora.stored.broken_file import BrokenFileError


def count_rows(stream: BinaryIO, part: FilePart) -> int:
    """Counts the rows that `read_part` reads from a part of lines or row groups.

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
    with contextlib.suppress(BrokenFileError):  # reported when the part is read
        for lines in line_blocks(text_chunks(stream, part)):
            rows += len(without_blanks(lines))
    return rows


def parts_to_count(parts: Sequence[FilePart]) -> list[FilePart]:
    """The parts whose rows must be counted before the rows of their files can be numbered."""
    per_file = Counter(part.path for part in parts)
    return [part for part in parts if per_file[part.path] > 1 and part.input.format != "parquet"]


def number_rows(parts: Sequence[FilePart], counts: Mapping[tuple[str, int], int]) -> list[FilePart]:
    """Sets the `first_row` of each part of a divided file of lines, from the counts before it.

    Args:
        parts: in file order.
        counts: how many rows each of the `parts_to_count` has, by `(path, start)`.
    """
    rows_before: dict[str, int] = defaultdict(int)
    numbered = []
    for part in parts:
        rows = counts.get((part.path, part.start))
        if rows is not None:
            part = dataclasses.replace(part, first_row=rows_before[part.path])
            rows_before[part.path] += rows
        numbered.append(part)
    return numbered
