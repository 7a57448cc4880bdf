import numpy as np
import pytest

from model.text.cutting import mark_kept


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("head", [1, 1, 1, 0, 0, 1, 1, 1, 1, 0]),
        ("tail", [0, 0, 1, 1, 1, 1, 1, 0, 1, 1]),
        ("head+tail", [1, 1, 0, 0, 1, 1, 1, 1, 0, 1]),
    ],
)
def test_the_kept_tokens_of_every_row_are_marked(how, expected) -> None:
    kept = mark_kept(np.array([3, 2, 0, 2], np.int32), np.array([2, 0, 0, 1], np.int32), how)
    assert kept.dtype == bool
    np.testing.assert_array_equal(kept, np.array(expected, bool))


def test_no_row_has_no_token() -> None:
    assert len(mark_kept(np.empty(0, np.int64), np.empty(0, np.int64), "head")) == 0
