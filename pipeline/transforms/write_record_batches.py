"""Record batches -> staged Parquet files, one a unit."""

import dataclasses
import os
import tempfile
import uuid
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.transforms.window import GlobalWindows

from pipeline.runs.files import Files, join
from pipeline.runs.staging import StagedFile, stage_files


@dataclasses.dataclass
class WriteRecordBatches(beam.PTransform):
    """Writes `(unit index, record batch)` to Parquet files under `folder`.

    Yields `(unit index, StagedFile)`. A retried bundle writes new names; only
    the names that are yielded are to be used.
    """

    folder: str
    schema: pa.Schema
    files: Files

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """The batches of a unit, in order, go into one file."""
        return batches | beam.ParDo(_WriteUnits(self.folder, self.schema, self.files))


@dataclasses.dataclass
class _WriteUnits(beam.DoFn):
    folder: str
    schema: pa.Schema
    files: Files

    def start_bundle(self) -> None:
        self._unit: int | None = None
        self._local: _LocalParquet | None = None

    def process(self, element: tuple[int, pa.RecordBatch]) -> Iterator[tuple[int, StagedFile]]:
        unit, batch = element
        if unit != self._unit:
            yield from self._close()
            self._unit = unit
        if self._local is None:
            self._local = _LocalParquet(self.schema)
        self._local.write(batch)

    def finish_bundle(self) -> Iterator[Any]:
        for staged in self._close():
            yield GlobalWindows.windowed_value(staged)

    def _close(self) -> Iterator[tuple[int, StagedFile]]:
        if self._local is not None and self._unit is not None:
            path = join(self.folder, f"{uuid.uuid4().hex}.parquet")
            yield self._unit, self._local.close(self.files, path)
        self._local = None


class _LocalParquet:
    """A Parquet file while it is written, on the worker's own disk."""

    def __init__(self, schema: pa.Schema) -> None:
        descriptor, self._path = tempfile.mkstemp(suffix=".parquet")
        os.close(descriptor)
        self._schema = schema
        self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch.cast(self._schema))
        self._rows += batch.num_rows

    def close(self, files: Files, path: str) -> StagedFile:
        self._writer.close()
        staged = stage_files(files, [self._path], path=path, rows=self._rows)
        os.unlink(self._path)
        return staged
