"""Documents -> predictions and rejections: every row that is read is answered."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from model.scoring import Scorer
from pipeline.corpora.counts import count_values
from pipeline.corpora.rejections import reject_documents
from pipeline.schemas import DOCUMENTS, PREDICTIONS, predictions_schema


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictionContext:
    """What every prediction row of a run says of its origin."""

    model_version: str
    run_id: str
    attention: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scored:
    """What became of one record batch.

    Attributes:
        documents: the documents that were scored.
        predictions: one row for each of them, in the same order.
        rejections: batches of the rows that were not.
    """

    documents: pa.RecordBatch
    predictions: pa.RecordBatch
    rejections: Sequence[pa.RecordBatch]


def score_documents(
    scorer: Scorer, documents: pa.RecordBatch, *, context: PredictionContext
) -> list[Scored]:
    """Scores a batch; where that fails, its halves, down to the row at fault.

    Returns:
        One result for each part that was scored as a whole, in row order.
    """
    try:
        return [_score(scorer, documents, context=context)]
    except Exception as error:  # Whatever one document does to a scorer costs that document.
        rows = documents.num_rows
        if rows <= 1:
            detail = f"expected a prediction, got {type(error).__name__}: {error}"
            return [_reject_all(documents, detail)]
        halves = (documents.slice(0, rows // 2), documents.slice(rows // 2))
        return [
            scored for half in halves for scored in score_documents(scorer, half, context=context)
        ]


def _score(scorer: Scorer, documents: pa.RecordBatch, *, context: PredictionContext) -> Scored:
    columns, has_tokens = scorer.score(documents.column("text"))
    rejections = []
    if not has_tokens.all():
        rejections.append(
            reject_documents(
                documents,
                ~has_tokens,
                reason="empty_text",
                detail="expected at least one token, got white space or dropped markup only",
            )
        )
        documents = documents.filter(pa.array(has_tokens))
    rows = documents.num_rows
    kept = kept_fields_of(documents.schema)
    by_name = {
        **{name: columns.column(name) for name in columns.schema.names},
        "document_id": documents.column("document_id"),
        "model_version": pa.repeat(context.model_version, rows),
        "run_id": pa.repeat(context.run_id, rows),
        **{field.name: documents.column(field.name) for field in kept},
    }
    if not context.attention:
        for name in ("tokens", "token_starts", "token_ends", "attention"):
            by_name[name] = _empty_lists(PREDICTIONS.field(name).type, rows)
    schema = predictions_schema(kept)
    predictions = pa.record_batch(
        [by_name[field.name].cast(field.type) for field in schema], schema=schema
    )
    return Scored(documents=documents, predictions=predictions, rejections=rejections)


def count_predictions(predictions: pa.RecordBatch) -> dict[str, Any]:
    """Counts predictions by label, and by score in twentieths: `{"0.95": n}`."""
    bins = np.minimum((predictions.column("score").to_numpy() * 20).astype(int), 19)
    scores = {f"{low / 20:.2f}": int((bins == low).sum()) for low in np.unique(bins)}
    return {"labels": count_values(predictions.column("label")), "scores": scores}


def kept_fields_of(schema: pa.Schema) -> list[pa.Field]:
    """The kept input columns of a documents batch."""
    return [field for field in schema if field.name not in DOCUMENTS.names]


def _reject_all(documents: pa.RecordBatch, detail: str) -> Scored:
    every = np.ones(documents.num_rows, dtype=bool)
    schema = predictions_schema(kept_fields_of(documents.schema))
    return Scored(
        documents=documents.slice(0, 0),
        predictions=pa.RecordBatch.from_pylist([], schema),
        rejections=[reject_documents(documents, every, reason="scoring_failed", detail=detail)],
    )


def _empty_lists(kind: pa.ListType, rows: int) -> pa.ListArray:
    offsets = pa.array(np.zeros(rows + 1, np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array([], kind.value_type))
