"""The confusion matrix: cells, shades, headings of columns, and the list of confusions."""

import dataclasses

import pytest

from pipeline.reports.confusion_matrix import (
    MATRIX_LABELS,
    confusion_matrix,
    frequent_confusions,
)
from pipeline.reports.shading import LEVELS
from tests.pipeline.reports import made_up


def test_confusion_cells_are_shaded_by_their_share_of_the_row() -> None:
    evaluation = made_up.evaluation()
    evaluation["confusion"] = [[999, 1], [0, 4]]
    matrix = confusion_matrix(evaluation)
    assert matrix is not None
    (right, slip), (nothing, all_right) = matrix.cells
    assert (right.level, slip.level) == (LEVELS, 1)  # a single error is seen
    assert (nothing.level, all_right.level) == (0, LEVELS)
    assert slip.share == 0.001
    evaluation["confusion"] = [[0, 0], [0, 4]]
    matrix = confusion_matrix(evaluation)
    assert matrix is not None
    assert matrix.cells[0][0].share == 0  # no document of that label


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        (("a", "b"), ["a", "b"]),
        (("a", "a label of many letters"), ["1", "2"]),
        (tuple("abcdefghi"), [str(number) for number in range(1, 10)]),
    ],
)
def test_columns_have_numbers_where_labels_do_not_fit(
    labels: tuple[str, ...], columns: list[str]
) -> None:
    matrix = confusion_matrix(made_up.evaluation(labels))
    assert matrix is not None
    assert (list(matrix.columns), matrix.numbered) == (columns, columns[0] == "1")


def test_too_many_labels_have_no_matrix() -> None:
    labels = tuple(f"label {number}" for number in range(MATRIX_LABELS + 1))
    assert confusion_matrix(made_up.evaluation(labels)) is None


def test_confusions_are_sorted_by_frequency() -> None:
    evaluation = made_up.evaluation(("a", "b", "c"))
    evaluation["confusion"] = [[5, 1, 4], [2, 8, 0], [0, 0, 3]]
    found = [dataclasses.astuple(confusion) for confusion in frequent_confusions(evaluation)]
    assert found == [("a", "c", 4, 0.4), ("b", "a", 2, 0.2), ("a", "b", 1, 0.1)]
