import numpy as np
import pytest

from model.text.length_batches import CPU_BATCH_ROWS, sorted_batches


@pytest.mark.parametrize("rows", [0, 1, CPU_BATCH_ROWS, CPU_BATCH_ROWS + 1])
def test_every_document_is_in_one_batch_and_lengths_never_fall(rows):
    lengths = np.random.default_rng(0).integers(1, 50, rows)
    batches = list(sorted_batches(lengths))
    order = np.concatenate([np.empty(0, np.int64), *batches])
    assert sorted(order.tolist()) == list(range(rows))
    assert (np.diff(lengths[order]) >= 0).all()
    assert all(1 <= len(batch) <= CPU_BATCH_ROWS for batch in batches)
