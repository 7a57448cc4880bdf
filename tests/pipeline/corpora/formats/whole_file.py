"""Reads a whole file, or bytes as if they were one, into plain Python values."""

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import MAX_DECOMPRESSED_BYTES, ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.read_part import columns_of, read_part
from pipeline.corpora.reading.check_rows import ReadBatch
from pipeline.corpora.reading.columns import kept_fields
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.schemas import REJECTION_REASONS, REJECTIONS, documents_schema


@dataclasses.dataclass(frozen=True)
class Read:
    """All rows of a file: `documents` and `rejections` as lists of dicts.

    `broken` says what is wrong with a file that cannot be read to its end; None for any other.
    """

    documents: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    rows_read: int
    rows_repaired: int
    headers_skipped: int = 0
    broken: str | None = None

    @property
    def texts(self) -> list[str]:
        return self.column("text")

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(each["source_row"], each["reason"]) for each in self.rejections]

    def column(self, name: str) -> list[Any]:
        return [each[name] for each in self.documents]


class ShortReads(io.BytesIO):
    """A stream that never gives more than a few bytes at once, as a network may."""

    def __init__(self, content: bytes, most: int) -> None:
        super().__init__(content)
        self.most = most

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


def read_stream(
    stream: BinaryIO, part: FilePart, *, corpus: CorpusConfig, batch_rows: int = 2_000
) -> Read:
    batches: list[ReadBatch] = []
    broken = None
    try:
        batches.extend(read_part(stream, part, corpus=corpus, batch_rows=batch_rows))
    except BrokenFileError as error:
        broken = error.detail
    check_contract(batches, part, corpus=corpus, batch_rows=batch_rows)
    return Read(
        documents=[row for batch in batches for row in batch.documents.to_pylist()],
        rejections=[row for batch in batches for row in batch.rejections.to_pylist()],
        rows_read=sum(batch.rows_read for batch in batches),
        rows_repaired=sum(batch.rows_repaired for batch in batches),
        headers_skipped=sum(batch.headers_skipped for batch in batches),
        broken=broken,
    )


def read_file(
    path: Path,
    *,
    columns: ColumnsConfig | None = None,
    max_text_bytes: int = 10_000_000,
    batch_rows: int = 2_000,
    **settings: Any,
) -> Read:
    part = FilePart(
        path=str(path), source_file=path.name, input=InputConfig(path=str(path), **settings)
    )
    corpus = CorpusConfig(columns=columns or ColumnsConfig(), max_text_bytes=max_text_bytes)
    with path.open("rb") as stream:
        return read_stream(stream, part, corpus=corpus, batch_rows=batch_rows)


def read_bytes(
    content: bytes,
    *,
    name: str = "rows",
    columns: ColumnsConfig | None = None,
    max_text_bytes: int = 10_000_000,
    batch_rows: int = 2_000,
    most: int | None = None,
    max_decompressed_bytes: int = MAX_DECOMPRESSED_BYTES,
    **settings: Any,
) -> Read:
    part = FilePart(path=name, source_file=name, input=InputConfig(path=name, **settings))
    corpus = CorpusConfig(
        columns=columns or ColumnsConfig(),
        max_text_bytes=max_text_bytes,
        max_decompressed_bytes=max_decompressed_bytes,
    )
    stream = io.BytesIO(content) if most is None else ShortReads(content, most)
    return read_stream(stream, part, corpus=corpus, batch_rows=batch_rows)


def check_contract(
    batches: Sequence[ReadBatch], part: FilePart, *, corpus: CorpusConfig, batch_rows: int
) -> None:
    """Asserts what holds for the batches of every format."""
    schema = documents_schema(kept_fields(columns_of(part, corpus.columns)))
    rows: list[int] = []
    for batch in batches:
        assert batch.documents.schema == schema
        assert batch.rejections.schema == REJECTIONS
        batch.documents.validate(full=True)
        batch.rejections.validate(full=True)
        assert batch.rows_read <= batch_rows
        assert batch.rows_read or batch.headers_skipped
        assert batch.rows_read == batch.documents.num_rows + batch.rejections.num_rows
        for record_batch in (batch.documents, batch.rejections):
            for field, array in zip(record_batch.schema, record_batch.columns, strict=True):
                assert field.nullable or array.null_count == 0, field.name
            assert set(record_batch.column("source_file").to_pylist()) <= {part.source_file}
        rows += batch.documents.column("source_row").to_pylist()
        rows += batch.rejections.column("source_row").to_pylist()
        assert set(batch.rejections.column("reason").to_pylist()) <= set(REJECTION_REASONS)
    assert sorted(rows) == list(range(part.first_row, part.first_row + len(rows)))
