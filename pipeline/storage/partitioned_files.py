"""Writes a Parquet file for each value of a column; one file is open, however many values."""

import dataclasses
import io
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from typing_extensions import override

from model.config import ConfigError
from pipeline.storage.files import Files, errors_naming, join
from pipeline.storage.folders import is_local
from pipeline.storage.partition_names import is_shortened, partition_folder
from pipeline.storage.staging import StagedFile, stage_streams

MAX_VALUES = 10_000  # of a unit
PARTITION = "partition"  # in a file's metadata: the value, if its folder does not hold all of it
MAX_KEPT = 10_000  # characters of it
MAX_ROW_GROUPS = 20_000  # of all files being written: the footer of each is held in memory


class PartitionedFiles:
    """Writes the rows of one unit to a file for each value of a column.

    Rows are held until they have `row_group_bytes`. They are then sorted by value, and the rows of
    the largest values become row groups, until half of the bytes are left. The row groups of all
    values go to one temporary file, one after another; a file is put together from its pieces when
    it is complete. So there is one open file and one row group at a time in memory, whatever the
    number of values.

    Args:
        schema: of the batches; the files have the same one without the column.
        column: a string column.
        row_group_bytes: how many bytes of rows are held.
        file_bytes: a file that reaches this size is completed, and another one is begun.
        folder: where the files are staged, under random names.
        files: the filesystem of `folder`.
        new_writer: makes a writer of Parquet into a stream.
    """

    def __init__(
        self,
        schema: pa.Schema,
        column: str,
        *,
        row_group_bytes: int,
        file_bytes: int,
        folder: str,
        files: Files,
        new_writer: Callable[[BinaryIO, pa.Schema], pq.ParquetWriter],
    ) -> None:
        self._schema = schema
        self._column = column
        self._row_group_bytes = row_group_bytes
        self._file_bytes = file_bytes
        self._folder = folder
        self._files = files
        self._new_writer = new_writer
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._open: dict[str, _PiecedFile] = {}
        self._subfolders: set[str] = set()
        self._scratch: BinaryIO | None = None

    def write(self, batch: pa.RecordBatch) -> Iterator[StagedFile]:
        """Adds a batch; yields each file that has become full."""
        if not batch.num_rows:
            return
        self._hold(batch)
        if self._held_bytes >= self._row_group_bytes:
            yield from self._write_largest(leave=self._held_bytes // 2)

    def close(self) -> Iterator[StagedFile]:
        """Completes and yields all files."""
        for run in self._sort_held():
            self._write_rows(run)
            yield self._stage(run.subfolder)
        self._held, self._held_bytes = [], 0
        for subfolder in list(self._open):
            yield self._stage(subfolder)
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def _write_largest(self, *, leave: int) -> Iterator[StagedFile]:
        """Writes the rows of the values with the most bytes, until `leave` bytes are left."""
        runs = sorted(self._sort_held(), key=_bytes_of, reverse=True)
        left = sum(map(_bytes_of, runs))
        self._held, self._held_bytes = [], 0
        kept = []
        for run in runs:
            if left <= leave:
                kept.append(run.rows)
                continue
            left -= run.bytes
            self._write_rows(run)
            if self._open[run.subfolder].bytes >= self._file_bytes:
                yield self._stage(run.subfolder)
        if kept:
            self._hold(_copy(pa.concat_tables(kept)))
        while sum(file.row_groups for file in self._open.values()) > MAX_ROW_GROUPS:
            yield self._stage(max(self._open, key=lambda name: self._open[name].row_groups))

    def _hold(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._held_bytes += batch.get_total_buffer_size()

    def _sort_held(self) -> list["_Run"]:
        """The held rows by value; the rows of a value keep their order."""
        if not self._held:
            return []
        table = pa.Table.from_batches(self._held, self._schema).combine_chunks()
        values = pc.dictionary_encode(table.column(self._column).combine_chunks())
        codes = values.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        table, codes = table.take(pa.array(order)), codes[order]
        starts = np.flatnonzero(np.diff(codes, prepend=-2))
        runs = [
            self._run(
                None if code < 0 else values.dictionary[code].as_py(),
                table.slice(start, end - start),
            )
            for code, start, end in zip(
                codes[starts], starts, [*starts[1:], table.num_rows], strict=True
            )
        ]
        self._subfolders.update(run.subfolder for run in runs)
        if len(self._subfolders) > MAX_VALUES:
            raise ConfigError(
                f"scoring.output.partition_by: expected a column of at most {MAX_VALUES:,} "
                f"values, got more in {self._column!r}. Choose another column."
            )
        return runs

    def _run(self, value: str | None, rows: pa.Table) -> "_Run":
        subfolder = partition_folder(self._column, value)
        whole = value[:MAX_KEPT] if value is not None and is_shortened(subfolder) else None
        return _Run(subfolder=subfolder, rows=rows, value=whole)

    def _write_rows(self, run: "_Run") -> None:
        if run.subfolder not in self._open:
            if self._scratch is None:
                self._scratch = _temporary_file(self._folder)
            schema = self._schema.remove(self._schema.get_field_index(self._column))
            if run.value is not None:
                schema = schema.with_metadata({**(schema.metadata or {}), PARTITION: run.value})
            self._open[run.subfolder] = _PiecedFile(self._scratch, schema, self._new_writer)
        self._open[run.subfolder].write(run.rows.drop_columns([self._column]))

    def _stage(self, subfolder: str) -> StagedFile:
        path = join(self._folder, f"{uuid.uuid4().hex}.parquet")
        staged = self._open.pop(subfolder).stage(self._files, path)
        return dataclasses.replace(staged, subfolder=subfolder)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Run:
    """The held rows of one value, which is given if its folder does not hold all of it."""

    subfolder: str
    rows: pa.Table
    value: str | None = None

    @property
    def bytes(self) -> int:
        return int(self.rows.nbytes)


class _PiecedFile:
    """A Parquet file whose bytes lie in pieces in a temporary file that it shares with others."""

    def __init__(
        self,
        scratch: BinaryIO,
        schema: pa.Schema,
        new_writer: Callable[[BinaryIO, pa.Schema], pq.ParquetWriter],
    ) -> None:
        self._scratch = scratch
        self._pieces: list[tuple[int, int]] = []  # where each begins, and its size
        self._encoded = _Encoded()
        self._writer = new_writer(cast(BinaryIO, self._encoded), schema)
        self._rows = 0
        self.bytes = 0
        self.row_groups = 0

    def write(self, rows: pa.Table) -> None:
        """Adds rows as one row group."""
        self._writer.write_table(rows, row_group_size=max(rows.num_rows, 1))
        self._rows += rows.num_rows
        self.row_groups += 1
        self._save()

    def stage(self, files: Files, path: str) -> StagedFile:
        """Completes the file and puts it together at a path of any filesystem."""
        self._writer.close()
        self._save()
        return stage_streams(files, self._read_pieces(), path=path, rows=self._rows)

    def _save(self) -> None:
        content = self._encoded.take()
        self._pieces.append((self._scratch.seek(0, io.SEEK_END), len(content)))
        self._scratch.write(content)
        self.bytes += len(content)

    def _read_pieces(self) -> Iterator[BinaryIO]:
        for start, size in self._pieces:
            self._scratch.seek(start)
            yield io.BytesIO(self._scratch.read(size))


class _Encoded(io.RawIOBase):
    """Holds what a Parquet writer writes until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._content = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, content: Any) -> int:
        self._content += content
        return len(content)

    def take(self) -> bytes:
        content = bytes(self._content)
        self._content.clear()
        return content


def _copy(rows: pa.Table) -> pa.RecordBatch:
    """The rows as one batch of their own; a slice would keep the memory of all rows held."""
    [batch] = rows.take(pa.array(np.arange(rows.num_rows))).combine_chunks().to_batches()
    return batch


def _temporary_file(folder: str) -> BinaryIO:
    """A file without a name, on the disk of the folder where that is a local one."""
    if not is_local(folder):
        return cast(BinaryIO, tempfile.TemporaryFile())
    os.makedirs(folder, exist_ok=True)
    with errors_naming(folder):
        return cast(BinaryIO, tempfile.TemporaryFile(dir=folder))


def _bytes_of(run: _Run) -> int:
    return run.bytes
