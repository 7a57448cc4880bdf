"""Plain text files -> raw rows: each line is a document, or each file is one."""

from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath
from typing import BinaryIO

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.decoding import decode_lines
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import batches, line_blocks, text_chunks, without_blanks

COLUMNS = ("id", "text", "label")


def read_text(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the lines of a part or, with `document: file`, the whole file as one row.

    Every line that is not blank is a row that has only a text. A file that is one document has
    its name as id and the name of its folder as label. A row of more than `limit` bytes fails as
    `text_too_large`.
    """
    chunks = text_chunks(stream, part)
    if part.input.document == "file":
        yield _read_file(chunks, part, limit=limit)
        return
    lines = chain.from_iterable(map(without_blanks, line_blocks(chunks, limit=limit)))
    for batch in batches(lines, batch_rows=batch_rows, size=len):
        texts, failures, repaired = decode_lines(batch, part, limit=limit)
        yield RawRows(
            size=len(batch),
            columns={"text": texts},
            raw=batch.__getitem__,
            failures=failures,
            repaired=repaired,
        )


def _read_file(chunks: Iterator[bytes], part: FilePart, *, limit: int) -> RawRows:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        if len(buffer) > limit:
            break
    content = bytes(buffer)
    texts, failures, repaired = decode_lines([content], part, limit=limit)
    return RawRows(
        size=1,
        columns={
            "id": [part.source_file],
            "text": texts,
            "label": [PurePosixPath(part.path).parent.name],
        },
        raw=[content].__getitem__,
        failures=failures,
        repaired=repaired,
    )
