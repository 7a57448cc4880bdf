"""Flat token ids become padded rows."""

import numpy as np

from model.text.padding import pad_ids


def test_pad_ids_fills_with_zero_on_the_right():
    ids = np.array([5, 6, 7, 8], np.int32)
    padded = pad_ids(ids, np.array([0, 1, 1, 4]), max_tokens=3)
    assert padded.dtype == np.int64
    assert padded.tolist() == [[5, 0, 0], [0, 0, 0], [6, 7, 8]]
