"""Documents -> predictions and rejections: every row that is read is answered."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.scoring.scorer import Scorer
from pipeline.config.sections import OutputConfig
from pipeline.corpora.reading.counts import count_values
from pipeline.corpora.reading.rejections import reject_documents
from pipeline.schemas import DOCUMENTS, MODEL_COLUMNS, predictions_schema

TOKEN_LISTS = ("tokens", "token_starts", "token_ends", "attention")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictionContext:
    """What the predictions of a run have in common.

    Attributes:
        run_id: said in every row.
        output: what a row carries.
        further: scorers of further models, which add columns of their own.
    """

    run_id: str
    output: OutputConfig = OutputConfig()
    further: Sequence[Scorer] = ()


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

    Running out of memory is such a failure: half a batch needs half of it.

    Returns:
        One result for each part that was scored as a whole, in row order.
    """
    try:
        return [_score(scorer, documents, context=context)]
    except Exception as error:  # Whatever one document does to a scorer costs that document.
        rows = documents.num_rows
        if rows <= 1:
            detail = f"expected a prediction, got {type(error).__name__}: {error}"
            return [_reject_all(documents, detail, context=context)]
        halves = (documents.slice(0, rows // 2), documents.slice(rows // 2))
        return [
            scored for half in halves for scored in score_documents(scorer, half, context=context)
        ]


def column_prefixes(model_versions: Sequence[str]) -> list[str]:
    """What the columns of further models begin with: `toxicity_v3_` for `toxicity/3`."""
    prefixes = []
    for name, version in (each.rsplit("/", 1) for each in model_versions):
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        prefixes.append(f"{'_' if plain[0].isdigit() else ''}{plain}_v{version}_")
    return prefixes


def select_scores(predictions: pa.RecordBatch, min_score: float) -> pa.RecordBatch:
    """The predictions with a score of at least `min_score`."""
    if min_score <= 0:
        return predictions
    return predictions.filter(pc.greater_equal(predictions.column("score"), min_score))


def count_predictions(predictions: pa.RecordBatch, *, min_score: float = 0) -> dict[str, Any]:
    """Counts predictions by label, by score in twentieths (`{"0.95": n}`), and below a score."""
    scores = predictions.column("score").to_numpy()
    bins = np.minimum((scores * 20).astype(int), 19)
    counts: dict[str, Any] = {
        "labels": count_values(predictions.column("label")),
        "scores": {f"{low / 20:.2f}": int((bins == low).sum()) for low in np.unique(bins)},
    }
    if min_score > 0:
        kept = select_scores(predictions, min_score).num_rows
        counts["below_min_score"] = predictions.num_rows - kept
    return counts


def kept_fields_of(schema: pa.Schema) -> list[pa.Field]:
    """The kept input columns of a documents batch."""
    return [field for field in schema if field.name not in DOCUMENTS.names]


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
    finite = _are_finite(columns)
    if not finite.all():
        rejections.append(
            reject_documents(
                documents,
                ~finite,
                reason="scoring_failed",
                detail="expected finite probabilities and attention, got NaN or infinity",
            )
        )
        documents = documents.filter(pa.array(finite))
        columns = columns.filter(pa.array(finite))
    rows = documents.num_rows
    schema = schema_of(documents, context)
    by_name = {
        **_shape_output(columns, context.output),
        "document_id": documents.column("document_id"),
        "model_version": pa.repeat(scorer.bundle.model_version, rows),
        "run_id": pa.repeat(context.run_id, rows),
        **{field.name: documents.column(field.name) for field in kept_fields_of(documents.schema)},
    }
    for prefix, further in zip(_prefixes(context), context.further, strict=True):
        answers = _score_further(further, documents.column("text"), output=context.output)
        by_name.update({prefix + name: answers[name] for name in MODEL_COLUMNS})
    predictions = pa.record_batch(
        [by_name[field.name].cast(field.type) for field in schema], schema=schema
    )
    return Scored(documents=documents, predictions=predictions, rejections=rejections)


def _score_further(
    scorer: Scorer, texts: pa.StringArray, *, output: OutputConfig
) -> dict[str, pa.Array]:
    """The columns of a further model; null for a text in which it finds no token."""
    columns, has_tokens = scorer.score(texts)
    if not _are_finite(columns).all():
        raise ArithmeticError(f"{scorer.bundle.model_version} gave NaN or infinity")
    shaped = _shape_output(columns, output)
    shaped["model_version"] = pa.repeat(scorer.bundle.model_version, columns.num_rows)
    if has_tokens.all():
        return shaped
    places = pa.array(np.cumsum(has_tokens) - 1, mask=~has_tokens)
    return {name: column.take(places) for name, column in shaped.items()}


def _are_finite(columns: pa.RecordBatch) -> np.ndarray:
    """Which rows have no NaN and no infinity, bool `(rows,)`."""
    finite = np.ones(columns.num_rows, bool)
    for name in ("probabilities", "attention"):
        values = columns.column(name).flatten().to_numpy()
        broken = ~np.isfinite(values)
        if broken.any():
            rows = columns.column(name).value_parent_indices().to_numpy()
            finite[rows[broken]] = False
    return finite


def _shape_output(columns: pa.RecordBatch, output: OutputConfig) -> dict[str, pa.Array]:
    """A scorer's columns by name, with as much of the attention as is asked for."""
    shaped = {name: columns.column(name) for name in columns.schema.names}
    if output.attention == "full":
        return shaped
    counts = columns.column("token_count").to_numpy()
    most = output.top_k if output.attention == "top_k" else 0
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.minimum(counts, most))]), pa.int32())
    kept = pa.array(_are_among_top(columns.column("attention"), counts, most))
    for name in TOKEN_LISTS:
        values = columns.column(name).flatten().filter(kept)
        shaped[name] = pa.ListArray.from_arrays(offsets, values)
    return shaped


def _are_among_top(attention: pa.ListArray, counts: np.ndarray, most: int) -> np.ndarray:
    """Which tokens are among the `most` attended ones of their row; the first of equals."""
    weights = attention.flatten().to_numpy()
    rows = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-weights, rows))  # rows stay in place, their tokens by falling weight
    rank = np.empty(len(weights), np.int64)
    rank[order] = np.arange(len(weights)) - (np.cumsum(counts) - counts)[rows]
    return rank < most


def _prefixes(context: PredictionContext) -> list[str]:
    return column_prefixes([further.bundle.model_version for further in context.further])


def schema_of(documents: pa.RecordBatch, context: PredictionContext) -> pa.Schema:
    """The schema of the predictions of a batch of documents."""
    return predictions_schema(
        kept_fields_of(documents.schema),
        attention_type=context.output.attention_type,
        prefixes=_prefixes(context),
    )


def _reject_all(documents: pa.RecordBatch, detail: str, *, context: PredictionContext) -> Scored:
    every = np.ones(documents.num_rows, dtype=bool)
    return Scored(
        documents=documents.slice(0, 0),
        predictions=pa.RecordBatch.from_pylist([], schema_of(documents, context)),
        rejections=[reject_documents(documents, every, reason="scoring_failed", detail=detail)],
    )
