"""A run is stopped early only if it would fail at its end."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.reading.accounting import has_too_many_rejections
from pipeline.corpora.reading.early_stop import watch as module
from pipeline.corpora.reading.early_stop.watch import (
    RejectionWatch,
    StoppedEarlyError,
    begin,
    cannot_pass,
    note,
    watching,
)
from pipeline.corpora.reading.rejections import reject_documents
from tests.pipeline.batches import make_documents


def rejections(rows: int) -> Any:
    documents = make_documents(*({"document_id": f"d{row}"} for row in range(rows)))
    return reject_documents(documents, np.ones(rows, bool), reason="empty_text", detail="blank")


@given(
    steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=30),
    more=st.integers(0, 500),
    fraction=st.sampled_from([0, 0.001, 0.01, 0.1, 0.29, 0.5, 0.99, 1]),
)
def test_a_run_that_would_pass_is_never_stopped(
    steps: list[tuple[int, int]], more: int, fraction: float
) -> None:
    read = sum(used + rejected for used, rejected in steps)
    bound = read + more
    rejected_so_far = 0
    for _, rejected in steps:
        rejected_so_far += rejected
        if cannot_pass(rejected_so_far, bound, fraction):
            final = {"read": read, "rejected": {"empty_text": sum(each for _, each in steps)}}
            assert has_too_many_rejections(final, fraction)


def test_a_run_stops_when_the_rest_cannot_save_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUSPICIOUS_ROWS", 20)
    asked = []

    def bound() -> float:
        asked.append(1)
        return 4_000

    watch = RejectionWatch(0.01, bound)
    with watching(watch):
        note(0, rows_read=1_000, rejections=rejections(10))
        assert not asked  # too few to ask
        note(0, rows_read=10, rejections=rejections(10))
        note(1, rows_read=20, rejections=rejections(20))  # 40 of 4,000 are allowed
        with pytest.raises(StoppedEarlyError):
            note(1, rejections=rejections(1))
    assert watch.stopped
    assert len(asked) == 1
    assert watch.counts["read"] == 1_030
    assert watch.counts["rejected"] == {"empty_text": 41}
    assert watch.counts["first_rejected"]["empty_text"][2] == "blank"
    assert sum(batch.num_rows for batch in watch.first_rejections) == 20


def test_a_unit_that_is_read_again_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUSPICIOUS_ROWS", 1)
    watch = RejectionWatch(0.5, lambda: 40)
    with watching(watch):
        for _ in range(3):
            begin(7)
            note(7, rows_read=20, rejections=rejections(15))
    assert watch.counts["read"] == 20
    assert watch.counts["rejected"] == {"empty_text": 15}


def test_nothing_is_counted_outside_of_a_watch() -> None:
    begin(0)
    note(0, rows_read=10, rejections=rejections(10))
