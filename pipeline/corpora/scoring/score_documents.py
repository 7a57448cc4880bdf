"""Scores batches, and isolates the documents that make a scorer fail."""

import pyarrow as pa

from model.scoring.scorer import Scorer
from pipeline.corpora.scoring.predictions import (
    PredictionContext,
    ScoredBatch,
    reject_batch,
    score_batch,
)


def score_documents(
    scorer: Scorer, documents: pa.RecordBatch, *, context: PredictionContext
) -> list[ScoredBatch]:
    """Scores a batch; if that fails, scores its halves, and so on down to single rows.

    A single row that still fails is rejected as `scoring_failed`. This also helps if memory runs
    out, because half a batch needs half the memory.

    Returns:
        One result for each part that was scored as a whole, in row order.
    """
    try:
        return [score_batch(scorer, documents, context=context)]
    except Exception as error:  # for every error: one document must not fail the others
        rows = documents.num_rows
        if rows <= 1:
            detail = f"expected a prediction, got {type(error).__name__}: {error}"
            return [reject_batch(documents, detail, context=context)]
        halves = (documents.slice(0, rows // 2), documents.slice(rows // 2))
        return [
            scored for half in halves for scored in score_documents(scorer, half, context=context)
        ]
