"""Reads the files of a unit into batches that go across them.

A step of a pipeline costs about a millisecond a batch, whatever its size. Thousands of files of a
few rows would cost a batch each; here their rows are gathered first.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import BATCH_ROWS, read_part
from pipeline.corpora.reading.accounting import count_broken
from pipeline.corpora.reading.check_rows import ReadBatch
from pipeline.corpora.reading.counts import add_to
from pipeline.corpora.reading.parts import open_part
from pipeline.corpora.reading.streams import BATCH_BYTES
from pipeline.corpora.reading.units import Unit
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.storage.files import Files


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnitRows:
    """Consecutive rows of a unit, of one file or of several.

    Attributes:
        documents: as in `ReadBatch`; None where there is none.
        rejections: as in `ReadBatch`; None where there is none.
        rows_read: how many rows they were.
        counts: nested counts by file: rows read and repaired, and the files that are broken; and
            which documents have the columns that the config names.
    """

    documents: pa.RecordBatch | None
    rejections: pa.RecordBatch | None
    rows_read: int
    counts: dict[str, Any]


def read_unit(files: Files, unit: Unit, *, corpus: CorpusConfig) -> Iterator[UnitRows]:
    """Reads the parts of a unit in their order; no row is lost, and none changes its place.

    A batch has about as many rows or bytes as one of `read_part`, but more than one file may be in
    it. A file that cannot be read to its end is counted as broken after its whole rows.

    Raises:
        ConfigError: if a file has no such column as the config requires.
        OSError: if a file cannot be read for a reason that may be gone at the next try.
    """
    gathered = _Gathered()
    for part in unit.parts:
        try:
            with open_part(files, part) as stream:
                for batch in read_part(stream, part, corpus=corpus):
                    size = _bytes_of(batch)
                    if not gathered.has_room_for(batch, size):
                        yield gathered.join()
                        gathered = _Gathered()
                    gathered.add(part.source_file, batch, size)
                    if gathered.is_full:
                        yield gathered.join()
                        gathered = _Gathered()
        except BrokenFileError as error:
            gathered.count(count_broken(part.source_file, error))
    if gathered.counts:
        yield gathered.join()


class _Gathered:
    """Batches that will be one, and their counts."""

    def __init__(self) -> None:
        self.counts: dict[str, Any] = {}
        self._batches: list[ReadBatch] = []
        self._rows = 0
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self._rows >= BATCH_ROWS or self._bytes >= BATCH_BYTES

    def has_room_for(self, batch: ReadBatch, size: int) -> bool:
        """Whether the batch fits beside the others, and has the same columns."""
        if not self._batches:
            return True
        return (
            self._rows + batch.rows_read <= BATCH_ROWS
            and self._bytes + size <= BATCH_BYTES
            and batch.documents.schema == self._batches[0].documents.schema
        )

    def add(self, source_file: str, batch: ReadBatch, size: int) -> None:
        self._batches.append(batch)
        self._rows += batch.rows_read
        self._bytes += size
        of_file = {"rows_read": batch.rows_read, "rows_repaired": batch.rows_repaired}
        if batch.headers_skipped:
            of_file["headers_skipped"] = batch.headers_skipped
        self.count({"files": {source_file: of_file}, **batch.columns})

    def count(self, counts: dict[str, Any]) -> None:
        add_to(self.counts, counts)

    def join(self) -> UnitRows:
        return UnitRows(
            documents=_concatenate([batch.documents for batch in self._batches]),
            rejections=_concatenate([batch.rejections for batch in self._batches]),
            rows_read=self._rows,
            counts=self.counts,
        )


def _concatenate(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch | None:
    filled = [batch for batch in batches if batch.num_rows]
    if len(filled) > 1:
        return pa.concat_batches(filled)
    return filled[0] if filled else None


def _bytes_of(batch: ReadBatch) -> int:
    held = (batch.documents, batch.rejections)
    return sum(rows.get_total_buffer_size() for rows in held if rows.num_rows)
