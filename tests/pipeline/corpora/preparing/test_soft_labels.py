from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.corpora.preparing.soft_labels import (
    describe_malformed,
    describe_unknown,
    place_soft_labels,
)
from pipeline.schemas import SOFT_LABELS

LABELS = pa.array(["a", "b", "c"])
NONE = [np.nan] * 3


def column(*rows: dict[str, float] | list[float] | None) -> pa.ListArray:
    def entries(row: dict[str, float] | list[float] | None) -> Any:
        if row is None:
            return None
        pairs = row.items() if isinstance(row, dict) else [(None, number) for number in row]
        return [{"label": label, "probability": number} for label, number in pairs]

    return pa.array([entries(row) for row in rows], SOFT_LABELS)


def test_probabilities_are_placed_by_name_or_by_order() -> None:
    given = column({"c": 0.75, "a": 0.25}, None, [0.5, 0.25, 0.25], {"b": 1})
    for rows in (slice(None), slice(1, 3)):
        found = place_soft_labels(given[rows], LABELS, exclusive=True)
        expected = [[0.25, 0, 0.75], NONE, [0.5, 0.25, 0.25], [0, 1, 0]][rows]
        np.testing.assert_array_equal(found.probabilities, np.array(expected, np.float32))
        assert found.given.tolist() == [True, False, True, True][rows]
        assert not found.unknown.any()
        assert not found.malformed.any()


@pytest.mark.parametrize("exclusive", [True, False])
def test_what_does_not_fit_the_labels_is_found(exclusive: bool) -> None:
    given = column({"a": 0.5, "x": 0.5}, [0.5, 0.5], [0.5, 0.5, 0, 0], [0, 0, 0], {"a": 0}, {})
    found = place_soft_labels(given, LABELS, exclusive=exclusive)
    assert found.unknown.tolist() == [True, False, False, False, False, False]
    assert found.malformed.tolist() == [False, True, True, exclusive, exclusive, exclusive]
    assert np.isnan(found.probabilities[found.unknown | found.malformed]).all()
    assert describe_unknown(given, LABELS)[0].as_py() == (
        "expected probabilities of labels of the training split, got 'x'"
    )
    assert describe_malformed(given, LABELS)[1].as_py() == (
        "expected 3 probabilities, one for each label in the order of labels.txt, of which one is "
        "above 0, got [0.5, 0.5]"
    )


def test_a_batch_may_be_empty() -> None:
    found = place_soft_labels(column(), LABELS, exclusive=True)
    assert found.probabilities.shape == (0, 3)
