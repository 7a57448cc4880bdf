"""An earlier partition, row by row at hand: what a run can carry forward.

In memory a row is three numbers: the key of its id, the key of its text's digest, and its
place. The rows themselves are read a row group at a time and kept while there is room, which
is cheap where documents come in about the order of the earlier night.
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.nights.keys import hash_strings
from pipeline.storage.files import Files

CACHE_BYTES = 512 << 20  # of row groups in memory, in one process
# Row groups that are read again and again, because the order of the documents is another, cost
# more than scoring: past this many rows read for each one carried, the rest is scored.
MAX_READ_AMPLIFICATION = 8
FREE_ROWS = 1_000_000  # may be read before that counts

_opening = threading.Lock()
_opened: dict["EarlierFiles", "EarlierRows"] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EarlierFiles:
    """The files of an earlier partition, as a worker is told of them."""

    paths: tuple[str, ...]
    labels: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What an earlier partition has for a batch of documents.

    Attributes:
        rows: int `(carried,)`, which documents are unchanged, in the order of `predictions`.
        predictions: their earlier rows.
        known: how many of the documents' ids it has, with this text or another.
    """

    rows: np.ndarray
    predictions: pa.RecordBatch | None
    known: int


class EarlierRows:
    """Finds unchanged documents in an earlier partition; safe to share between threads."""

    def __init__(self, earlier: EarlierFiles, files: Files) -> None:
        self._files = files
        self._labels = pa.array(earlier.labels, pa.string())
        self._groups: list[tuple[str, int]] = []
        ids, digests, places = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)], []
        for path in earlier.paths:
            with files.open(path) as stream:
                parquet = pq.ParquetFile(stream)
                for group in range(parquet.num_row_groups):
                    batch = _one_batch(parquet, group, ["document_id", "text_sha256"])
                    ids.append(hash_strings(batch.column("document_id")))
                    digests.append(hash_strings(batch.column("text_sha256")))
                    rows = np.arange(batch.num_rows, dtype=np.int64)
                    places.append(rows | (len(self._groups) << 32))
                    self._groups.append((path, group))
        unsorted = np.concatenate(ids)
        order = np.argsort(unsorted, kind="stable")
        self._ids = unsorted[order]
        self._digests = np.concatenate(digests)[order]
        self._places = np.concatenate([np.empty(0, np.int64), *places])[order]
        self._cache: OrderedDict[int, pa.RecordBatch] = OrderedDict()
        self._lock = threading.Lock()
        self._read = self._carried = 0

    def __len__(self) -> int:
        """How many rows the partition has."""
        return len(self._ids)

    def find(self, ids: pa.StringArray, digests: pa.StringArray) -> Found:
        """Looks up documents.

        Args:
            ids: of the documents.
            digests: SHA-256 of their texts, hexadecimal.
        """
        keys = hash_strings(ids)
        at = np.minimum(np.searchsorted(self._ids, keys), max(len(self._ids) - 1, 0))
        known = self._ids[at] == keys if len(self._ids) else np.zeros(len(keys), bool)
        same = known.copy()
        same[known] = self._digests[at[known]] == hash_strings(digests)[known]
        rows = np.flatnonzero(same)
        places = self._places[at[rows]]
        order = np.argsort(places, kind="stable")
        rows, places = rows[order], places[order]
        nothing = Found(rows=np.empty(0, np.int64), predictions=None, known=int(known.sum()))
        if not len(rows) or self._read > FREE_ROWS + MAX_READ_AMPLIFICATION * self._carried:
            return nothing
        parts = []
        with self._lock:
            for group in np.unique(places >> 32):
                of_group = places[places >> 32 == group] & 0xFFFFFFFF
                parts.append(self._group(int(group)).take(pa.array(of_group)))
            self._carried += len(rows)
        predictions = pa.concat_batches(parts)
        # Two strings may share a key: what counts is that they are equal.
        wanted = pa.array(rows)
        equal = pc.and_(
            pc.equal(predictions.column("document_id"), ids.take(wanted)),
            pc.equal(predictions.column("text_sha256"), digests.take(wanted)),
        )
        if not pc.all(equal).as_py():
            predictions = predictions.filter(equal)
            rows = rows[equal.to_numpy(zero_copy_only=False)]
        return dataclasses.replace(nothing, rows=rows, predictions=predictions)

    def _group(self, number: int) -> pa.RecordBatch:
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        path, group = self._groups[number]
        with self._files.open(path) as stream:
            batch = _one_batch(pq.ParquetFile(stream), group, None)
        if "label" not in batch.schema.names:  # it is in the name of the file's folder
            batch = batch.append_column("label", self._labels.take(batch.column("label_index")))
        self._read += batch.num_rows
        self._cache[number] = batch
        while len(self._cache) > 1 and self._cached_bytes() > CACHE_BYTES:
            self._cache.popitem(last=False)
        return batch

    def _cached_bytes(self) -> int:
        return sum(batch.get_total_buffer_size() for batch in self._cache.values())


def shared_earlier_rows(files: Files, earlier: EarlierFiles) -> EarlierRows:
    """The process's one index of an earlier partition, however many threads ask for it."""
    with _opening:
        if earlier not in _opened:
            _opened.clear()  # one night at a time
            _opened[earlier] = EarlierRows(earlier, files)
        return _opened[earlier]


def _one_batch(
    parquet: pq.ParquetFile, group: int, columns: Sequence[str] | None
) -> pa.RecordBatch:
    table = parquet.read_row_group(group, columns=columns).combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
