"""Record batches -> staged Parquet files; each file has the rows of one unit only."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows

from pipeline.storage.files import Files
from pipeline.storage.parquet_files import ParquetFiles, ParquetLayout
from pipeline.storage.staging import StagedFile


@dataclasses.dataclass
class WriteRecordBatches(beam.PTransform):
    """Writes `(unit index, record batch)` to Parquet files under `folder`.

    Yields `(unit index, StagedFile)`. A retried bundle writes files with new names, so use only
    the files that are yielded.
    """

    folder: str
    schema: pa.Schema
    files: Files
    layout: ParquetLayout = ParquetLayout()

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """Writes the batches of a unit in order; after a full file, a new one is begun."""
        return batches | beam.ParDo(_WriteUnits(self.folder, self.schema, self.files, self.layout))


@dataclasses.dataclass
class _WriteUnits(beam.DoFn):
    folder: str
    schema: pa.Schema
    files: Files
    layout: ParquetLayout

    def start_bundle(self) -> None:
        self._unit: int | None = None
        self._open: ParquetFiles | None = None

    def process(self, element: tuple[int, pa.RecordBatch]) -> Iterator[tuple[int, StagedFile]]:
        unit, batch = element
        if unit != self._unit:
            yield from self._close()
            self._unit = unit
        if self._open is None:
            self._open = ParquetFiles(
                self.schema, self.layout, folder=self.folder, files=self.files
            )
        for staged in self._open.write(batch):
            yield unit, staged

    def finish_bundle(self) -> Iterator[Any]:
        for staged in self._close():
            yield GlobalWindows.windowed_value(staged)

    def _close(self) -> Iterator[tuple[int, StagedFile]]:
        if self._open is not None and self._unit is not None:
            for staged in self._open.close():
                yield self._unit, staged
        self._open = None
