"""Upper bounds of the number of rows of a file, found much faster than its rows are read."""

import math
from collections.abc import Iterable, Iterator

from pipeline.corpora.reading.open_parquet import open_parquet
from pipeline.corpora.reading.parts import FilePart, open_part
from pipeline.corpora.reading.streams import ends_lines_with_a_byte, stored_chunks
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.storage.files import Files

RECORD_BYTES = 16  # of a TFRecord beside its content: lengths and checksums
LINE_BYTES = 64 << 10  # a file of longer lines may have many rows in a line


def bound_rows(files: Files, parts: Iterable[FilePart]) -> float:
    """No more rows than this can be read from the parts; infinity where nothing is known."""
    return sum(_bound_part(files, part) for part in parts)


def _bound_part(files: Files, part: FilePart) -> float:
    """The bound of a part. For a part of a divided file of lines it is that of the whole file."""
    try:
        with open_part(files, part) as stream:
            if part.input.format == "parquet":
                metadata = open_parquet(stream).metadata
                groups = range(metadata.num_row_groups)[part.start : part.end]
                bound: float = sum(metadata.row_group(group).num_rows for group in groups)
            elif part.input.format == "text" and part.input.document == "file":
                bound = 1
            elif part.input.format == "tfrecord":
                bound = sum(map(len, stored_chunks(stream, part))) / RECORD_BYTES
            elif ends_lines_with_a_byte(part.input.encoding):
                bound = _bound_lines(stored_chunks(stream, part))
            else:
                bound = math.inf
    except BrokenFileError:
        return math.inf
    return bound if part.limit is None else min(bound, part.limit)


def _bound_lines(chunks: Iterator[bytes]) -> float:
    """Every row ends at the end of a line: a line feed, a carriage return, or the file's end.

    JSON may have several objects in a line: in a list, between commas, or in one long line.
    """
    size, ends, commas = 0, 1, 0
    head = b""
    for chunk in chunks:
        head = head or chunk.lstrip()[:4]
        size += len(chunk)
        ends += chunk.count(b"\n") + chunk.count(b"\r")
        commas += chunk.count(b",")
    if size > LINE_BYTES * ends:
        return size
    return ends + commas if head.removeprefix(b"\xef\xbb\xbf").startswith(b"[") else ends
