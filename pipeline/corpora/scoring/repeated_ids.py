"""Counts documents that have the id of another one, in little memory."""

import numpy as np
import pyarrow as pa

MAX_IDS = 4_000_000  # 32 MB of hashes


class RepeatedIds:
    """Counts ids that were added before, among the first `MAX_IDS` ids.

    Eight bytes of each id are held, not its text: two ids of millions have the same hash once in
    a million runs.
    """

    def __init__(self, *, max_ids: int = MAX_IDS) -> None:
        self._left = max_ids
        self._hashes: list[np.ndarray] = []

    def add(self, ids: pa.Array) -> None:
        """Adds ids; those after the first `max_ids` are not compared."""
        taken = ids.slice(0, self._left).to_pylist()
        if taken:
            self._left -= len(taken)
            # Python's hash differs between processes; these hashes never leave this one.
            self._hashes.append(np.fromiter(map(hash, taken), np.int64, len(taken)))

    def count(self) -> int:
        """How many of the ids had been added before."""
        if not self._hashes:
            return 0
        hashes = np.sort(np.concatenate(self._hashes))
        return int(np.count_nonzero(hashes[1:] == hashes[:-1]))
