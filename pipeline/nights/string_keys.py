"""Hashes strings to 64-bit keys: the ids of a night then take 8 bytes each in memory."""

import numpy as np
import pyarrow as pa

from model.runtime.compilation import compiled
from model.text.string_buffers import read_strings


def string_keys(strings: pa.StringArray) -> np.ndarray:
    """The FNV-1a hash of each string's UTF-8 bytes.

    Two different strings may have the same key, so callers must compare the strings as well.

    Args:
        strings: `(rows,)`.

    Returns:
        uint64 `(rows,)`.

    Source: Fowler, Noll, Vo; draft-eastlake-fnv.
    """
    data, offsets = read_strings(strings)
    return _hash(data, offsets)


@compiled
def _hash(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    keys = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(keys)):
        key = np.uint64(0xCBF29CE484222325)
        for at in range(offsets[row], offsets[row + 1]):
            key = (key ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
        keys[row] = key
    return keys
