import itertools

import numpy as np
import pytest

from model.wide.features_kernel import count_in_documents


@pytest.mark.parametrize("multiplier", [1, 0x9E3779B97F4A7C15])  # 1: all keys begin at one slot
def test_keys_are_counted_in_their_document(multiplier: int) -> None:
    rng = np.random.default_rng(1)
    lengths = [0, 1, 5, 300, 40]
    row_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    keys = rng.integers(0, 50, row_offsets[-1]).astype(np.uint64)
    counts = count_in_documents(keys, row_offsets, np.uint64(multiplier))
    expected = [
        np.count_nonzero(keys[start:end] == key)
        for start, end in itertools.pairwise(row_offsets)
        for key in keys[start:end]
    ]
    assert counts.tolist() == expected
