"""Repeated ids are counted within a bound of memory."""

import pyarrow as pa
import pytest

from pipeline.corpora.scoring.repeated_ids import RepeatedIds


@pytest.mark.parametrize(
    ("batches", "repeated"),
    [
        ([], 0),
        ([[]], 0),
        ([["a", "b"], ["c"]], 0),
        ([["a", "a"], ["b", "a"]], 2),
        ([["a", "b", "c"], ["d", "a"]], 0),  # the fifth is not compared
    ],
)
def test_ids_that_were_added_before_are_counted(batches: list[list[str]], repeated: int) -> None:
    ids = RepeatedIds(max_ids=4)
    for batch in batches:
        ids.add(pa.array(batch, pa.string()))
    assert ids.count() == repeated
