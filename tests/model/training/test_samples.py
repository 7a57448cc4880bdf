import numpy as np
import pytest

from model.training.samples import spread_rows, take_examples
from tests.model.training.baseline.documents import encode, make_documents
from tests.model.training.made_up_examples import texts_of


@pytest.mark.parametrize(
    ("rows", "limit", "chosen"),
    [(4, 9, [0, 1, 2, 3]), (9, 3, [0, 3, 6]), (5, 4, [0, 1, 2, 3]), (0, 4, [])],
)
def test_rows_are_spread_evenly(rows: int, limit: int, chosen: list[int]) -> None:
    assert spread_rows(rows, limit).tolist() == chosen


def test_examples_of_some_rows_are_those_of_their_documents() -> None:
    documents = make_documents(20, seed=1)
    whole = encode(documents)
    rows = np.array([2, 3, 11, 19])
    taken = take_examples(whole, rows)
    assert taken.rows == 4
    ids, offsets = taken.whole_documents("head+tail")
    all_ids, all_offsets = whole.whole_documents("head+tail")
    unknown, all_unknown = texts_of(taken.unknown), texts_of(whole.unknown)
    for place, row in enumerate(rows):
        of_row, of_place = slice(*all_offsets[row : row + 2]), slice(*offsets[place : place + 2])
        np.testing.assert_array_equal(ids[of_place], all_ids[of_row])
        assert (
            unknown[slice(*taken.unknown_offsets[place : place + 2])]
            == all_unknown[slice(*whole.unknown_offsets[row : row + 2])]
        )
    np.testing.assert_array_equal(taken.labels, whole.labels[rows])
    np.testing.assert_array_equal(taken.weights, whole.weights[rows])


def test_all_rows_are_not_copied() -> None:
    whole = encode(make_documents(3, seed=1))
    assert take_examples(whole, np.arange(3)) is whole
