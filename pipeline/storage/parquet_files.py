"""Writes Parquet files; the layout sets the size of the files and of their row groups.

Encodings: a dictionary for strings only, and DELTA_BINARY_PACKED for integers. Measured on the
predictions of 25,000 film reviews (4.2 million tokens), the file then has 33.1 MB and takes 0.41 s
of CPU time; with Arrow's defaults it has 39.7 MB and takes 0.63 s. BYTE_STREAM_SPLIT for floats
would make it 30.9 MB in the same time, but not every engine that reads Parquet supports it.
"""

import dataclasses
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage.files import Files, errors_naming, join
from pipeline.storage.partitioned_files import PartitionedFiles
from pipeline.storage.staging import ScratchFile, StagedFile

# Their strings do not repeat, so a dictionary would save nothing.
UNIQUE_COLUMNS = ("document_id", "text_sha256")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ParquetLayout:
    """How rows are laid out in files.

    Attributes:
        row_group_bytes: a row group is written when its rows have this size in memory.
        file_bytes: a file that reaches this size is closed, and another one is begun.
        partition_by: a string column; the rows with each value go to a folder
            `<column>=<value>`, and the files leave that column out.
    """

    row_group_bytes: int = 32 << 20
    file_bytes: int = 512 << 20
    partition_by: str | None = None


class ParquetFiles:
    """Writes the files of one unit.

    Args:
        schema: of the batches; the files have the same one without the column `partition_by`.
        layout: the sizes, and the column to partition by.
        folder: where the files are staged, under random names.
        files: the filesystem of `folder`.
    """

    def __init__(
        self, schema: pa.Schema, layout: ParquetLayout, *, folder: str, files: Files
    ) -> None:
        self._schema = schema
        self._layout = layout
        self._folder = folder
        self._files = files
        self._open: _OpenParquet | None = None
        self._partitioned: PartitionedFiles | None = None
        if layout.partition_by is not None:
            self._partitioned = PartitionedFiles(
                schema,
                layout.partition_by,
                row_group_bytes=layout.row_group_bytes,
                file_bytes=layout.file_bytes,
                folder=folder,
                files=files,
                new_writer=_new_writer,
            )

    def write(self, batch: pa.RecordBatch) -> Iterator[StagedFile]:
        """Adds a batch; yields each file that has become full."""
        batch = batch.cast(self._schema)
        if self._partitioned is not None:
            yield from self._partitioned.write(batch)
            return
        if self._open is None:
            path = join(self._folder, f"{uuid.uuid4().hex}.parquet")
            self._open = _OpenParquet(self._schema, ScratchFile(path))
        self._open.add(batch)
        if self._open.pending_bytes >= self._layout.row_group_bytes:
            self._open.flush()
            if self._open.file_bytes() >= self._layout.file_bytes:
                yield from self.close()

    def close(self) -> Iterator[StagedFile]:
        """Completes and yields the files that are still open."""
        if self._partitioned is not None:
            yield from self._partitioned.close()
        if self._open is not None:
            staged, self._open = self._open.close(self._files), None
            yield staged


class _OpenParquet:
    """A Parquet file that is being written.

    It has a thread that encodes its row groups while the next rows are scored. The thread does not
    hold the GIL.
    """

    def __init__(self, schema: pa.Schema, scratch: ScratchFile) -> None:
        self._scratch = scratch
        self._schema = schema
        with errors_naming(scratch.name):
            self._writer = _new_writer(scratch.name, schema)
        scratch.opened()
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self._pending: list[pa.RecordBatch] = []
        self._rows = 0
        self.pending_bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._pending.append(batch)
        self._rows += batch.num_rows
        self.pending_bytes += batch.get_total_buffer_size()

    def flush(self) -> None:
        """Waits for the row group before, then starts to write the added rows as a row group."""
        self._wait()
        if self.pending_bytes:
            table = pa.Table.from_batches(self._pending, self._schema)
            self._writing = self._thread.submit(
                self._writer.write_table, table, row_group_size=max(table.num_rows, 1)
            )
        self._pending, self.pending_bytes = [], 0

    def file_bytes(self) -> int:
        return self._scratch.size()

    def close(self, files: Files) -> StagedFile:
        self.flush()
        self._wait()
        self._thread.shutdown()
        with errors_naming(self._scratch.name):
            self._writer.close()
        return self._scratch.stage(files, rows=self._rows)

    def _wait(self) -> None:
        if self._writing is not None:
            with errors_naming(self._scratch.name):
                self._writing.result()
            self._writing = None


def _new_writer(sink: str | BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(sink, schema, compression="zstd", **_encodings(schema))


def _encodings(schema: pa.Schema) -> dict[str, object]:
    """Arguments of `ParquetWriter` that set the encoding of each leaf column of a schema."""
    dictionaries, encodings = [], {}
    for field in schema:
        is_list = pa.types.is_list(field.type)
        leaf = field.type.value_type if is_list else field.type
        path = f"{field.name}.list.element" if is_list else field.name
        if pa.types.is_string(leaf) and field.name not in UNIQUE_COLUMNS:
            dictionaries.append(path)
        elif pa.types.is_integer(leaf):
            encodings[path] = "DELTA_BINARY_PACKED"
    return {"use_dictionary": dictionaries, "column_encoding": encodings}
