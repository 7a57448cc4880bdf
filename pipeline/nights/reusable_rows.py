"""An index of a published partition, which finds the rows that a run may reuse.

The index holds 24 bytes per row: the key of its document id, the key of its text's digest, and the
place of the row. The rows themselves are read one row group at a time and cached. This is cheap if
the documents come in about the order of that partition.
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.nights.reusable_partition import ReusablePartition
from pipeline.nights.string_keys import string_keys
from pipeline.storage.files import Files

CACHE_BYTES = 512 << 20  # for row groups, per process

# If the documents come in another order, row groups leave the cache and are read again, which
# takes longer than scoring. Once more than this number of rows were read per reused row, no
# further row is reused, and the other documents are scored.
MAX_READ_AMPLIFICATION = 8
FREE_ROWS = 1_000_000  # rows read before that limit applies

_index_lock = threading.Lock()
_indexes: dict[ReusablePartition, "ReusableRows"] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundRows:
    """The rows that a partition has for a batch of documents.

    Attributes:
        rows: int `(found,)`, indexes of the unchanged documents, in the order of `predictions`.
        predictions: their rows in the partition; None if no document is unchanged.
        known: how many of the documents have an id that is in the partition, with the same text
            or another one.
    """

    rows: np.ndarray
    predictions: pa.RecordBatch | None
    known: int


class ReusableRows:
    """Finds the rows of unchanged documents in a partition; safe to share between threads."""

    def __init__(self, partition: ReusablePartition, files: Files) -> None:
        self._files = files
        self._labels = pa.array(partition.labels, pa.string())
        # (path, row group). The place of a row has the index of its group in this list in the upper
        # 32 bits, and the number of the row within the group in the lower 32 bits.
        self._groups: list[tuple[str, int]] = []
        unsorted = self._read_keys(partition.paths)
        order = np.argsort(unsorted[0], kind="stable")
        self._ids, self._digests, self._places = (column[order] for column in unsorted)
        self._cache: OrderedDict[int, pa.RecordBatch] = OrderedDict()
        self._lock = threading.Lock()
        self._rows_read = self._rows_reused = 0

    def __len__(self) -> int:
        """How many rows the partition has."""
        return len(self._ids)

    def find(self, ids: pa.StringArray, digests: pa.StringArray) -> FoundRows:
        """Finds the documents whose id and text are in the partition.

        Args:
            ids: the ids of the documents, `(rows,)`.
            digests: the SHA-256 of their texts, hexadecimal, `(rows,)`.
        """
        rows, places, known = self._look_up(ids, digests)
        nothing = FoundRows(rows=np.empty(0, np.int64), predictions=None, known=known)
        if not len(rows) or self._reads_too_much():
            return nothing
        predictions = self._take(places)
        # Two strings may have the same key, so the strings themselves are compared.
        wanted = pa.array(rows)
        equal = pc.and_(
            pc.equal(predictions.column("document_id"), ids.take(wanted)),
            pc.equal(predictions.column("text_sha256"), digests.take(wanted)),
        )
        if not pc.all(equal).as_py():
            predictions = predictions.filter(equal)
            rows = rows[equal.to_numpy(zero_copy_only=False)]
        return dataclasses.replace(nothing, rows=rows, predictions=predictions)

    def _read_keys(self, paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The keys of ids and digests, uint64, and the places, int64, of all rows."""
        ids, digests = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        places = [np.empty(0, np.int64)]
        for path in paths:
            with self._files.open(path) as stream:
                parquet = pq.ParquetFile(stream)
                for group in range(parquet.num_row_groups):
                    batch = _read_group(parquet, group, ["document_id", "text_sha256"])
                    ids.append(string_keys(batch.column("document_id")))
                    digests.append(string_keys(batch.column("text_sha256")))
                    rows = np.arange(batch.num_rows, dtype=np.int64)
                    places.append(rows | (len(self._groups) << 32))
                    self._groups.append((path, group))
        return np.concatenate(ids), np.concatenate(digests), np.concatenate(places)

    def _look_up(
        self, ids: pa.StringArray, digests: pa.StringArray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """`(rows, places, known)`: the documents whose two keys are in the index, sorted by place;
        the places; how many ids are in the index.
        """
        keys = string_keys(ids)
        at = np.minimum(np.searchsorted(self._ids, keys), max(len(self._ids) - 1, 0))
        known = self._ids[at] == keys if len(self._ids) else np.zeros(len(keys), bool)
        same = known.copy()
        same[known] = self._digests[at[known]] == string_keys(digests)[known]
        rows = np.flatnonzero(same)
        places = self._places[at[rows]]
        order = np.argsort(places, kind="stable")
        return rows[order], places[order], int(known.sum())

    def _reads_too_much(self) -> bool:
        return self._rows_read > FREE_ROWS + MAX_READ_AMPLIFICATION * self._rows_reused

    def _take(self, places: np.ndarray) -> pa.RecordBatch:
        """The rows at sorted places."""
        parts = []
        with self._lock:
            for group in np.unique(places >> 32):
                of_group = places[places >> 32 == group] & 0xFFFFFFFF
                parts.append(self._group(int(group)).take(pa.array(of_group)))
            self._rows_reused += len(places)
        return pa.concat_batches(parts)

    def _group(self, number: int) -> pa.RecordBatch:
        """A row group, from the cache or from its file."""
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        path, group = self._groups[number]
        with self._files.open(path) as stream:
            batch = _read_group(pq.ParquetFile(stream), group, None)
        # With `partition_by: label` the files leave out the label.
        if "label" not in batch.schema.names:
            batch = batch.append_column("label", self._labels.take(batch.column("label_index")))
        self._rows_read += batch.num_rows
        self._cache[number] = batch
        while len(self._cache) > 1 and self._cached_bytes() > CACHE_BYTES:
            self._cache.popitem(last=False)
        return batch

    def _cached_bytes(self) -> int:
        return sum(batch.get_total_buffer_size() for batch in self._cache.values())


def shared_reusable_rows(files: Files, partition: ReusablePartition) -> ReusableRows:
    """The index of a partition, which all threads of the process share."""
    with _index_lock:
        if partition not in _indexes:
            _indexes.clear()  # keep the index of one partition only
            _indexes[partition] = ReusableRows(partition, files)
        return _indexes[partition]


def _read_group(
    parquet: pq.ParquetFile, group: int, columns: Sequence[str] | None
) -> pa.RecordBatch:
    table = parquet.read_row_group(group, columns=columns).combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
