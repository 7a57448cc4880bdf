"""Upper bounds of the number of rows of a file, found much faster than its rows are read."""

import math
from collections.abc import Iterable, Iterator

from pipeline.corpora.reading.open_parquet import open_parquet
from pipeline.corpora.reading.parts import FilePart, open_part
from pipeline.corpora.reading.streams import HEAD_BYTES, stored_chunks, text_chunks, with_head
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.json_documents import is_document
from pipeline.storage.files import Files

RECORD_BYTES = 16  # of a TFRecord beside its content: lengths and checksums


def bound_rows(files: Files, parts: Iterable[FilePart]) -> float:
    """No more rows than this can be read from the parts; infinity where nothing is known."""
    return sum(_bound_part(files, part) for part in parts)


def _bound_part(files: Files, part: FilePart) -> float:
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
            else:
                is_json = part.input.format == "jsonl"
                bound = _bound_lines(text_chunks(stream, part), is_json=is_json)
    except (BrokenFileError, MemoryError, OSError, ValueError):  # named when the part is read
        return math.inf
    return bound if part.limit is None else min(bound, part.limit)


def _bound_lines(chunks: Iterator[bytes], *, is_json: bool) -> int:
    """Every row ends at the end of a line or of the file.

    JSON that is not lines may have a row in each byte or two.
    """
    head, chunks = with_head(chunks, HEAD_BYTES)
    size, ends = 0, 1
    for chunk in chunks:
        size += len(chunk)
        ends += chunk.count(b"\n") + chunk.count(b"\r")
    return size if is_json and is_document(head) else ends
