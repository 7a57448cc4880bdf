"""Counts of predictions by label and score, and the filter by `scoring.min_score`."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.counts import count_values

SCORE_BINS = 20


def filter_by_score(predictions: pa.RecordBatch, min_score: float) -> pa.RecordBatch:
    """The predictions with a score of at least `min_score`, and those that have no answer."""
    if min_score <= 0:
        return predictions
    kept = pc.greater_equal(predictions.column("score"), min_score)
    return predictions.filter(pc.fill_null(kept, True))


def count_predictions(predictions: pa.RecordBatch, *, min_score: float = 0) -> dict[str, Any]:
    """Counts the predictions that have an answer by label and by score.

    Returns:
        `labels`, `{label: n}`; `scores`, `{lower edge of the score's bin: n}` such as
        `{"0.95": 7}`, with `SCORE_BINS` bins of [0, 1]; and, if `min_score` is positive,
        `below_min_score`, the number of predictions that `filter_by_score` leaves out.
    """
    scores = predictions.column("score").drop_null().to_numpy()
    bins = np.minimum((scores * SCORE_BINS).astype(int), SCORE_BINS - 1)
    counts: dict[str, Any] = {
        "labels": count_values(predictions.column("label")),
        "scores": {f"{low / SCORE_BINS:.2f}": int((bins == low).sum()) for low in np.unique(bins)},
    }
    if min_score > 0:
        kept = filter_by_score(predictions, min_score).num_rows
        counts["below_min_score"] = predictions.num_rows - kept
    return counts
