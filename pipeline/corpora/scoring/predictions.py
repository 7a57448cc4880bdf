"""Documents -> predictions and rejections, for one record batch; nothing is retried here."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np
import pyarrow as pa

from model.scoring.scorer import Scorer
from pipeline.config.sections import OutputConfig, ScoringConfig
from pipeline.corpora.reading.rejections import reject_documents, reject_without_tokens
from pipeline.corpora.scoring.abstaining import abstain
from pipeline.corpora.scoring.output_columns import column_prefixes, kept_fields_in, limit_attention
from pipeline.schemas import model_columns, predictions_schema


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictionContext:
    """The settings that all predictions of a run share.

    Attributes:
        run_id: written to every row.
        output: how many attention weights a row holds, and of which type.
        wide: whether the model has a wide part.
        max_unknown: above this share of unknown tokens a document is not answered; None: every
            document is answered.
        further: scorers of further models; each adds its own columns.
    """

    run_id: str
    output: OutputConfig = OutputConfig()
    wide: bool = False
    max_unknown: float | None = None
    further: Sequence[Scorer] = ()

    @classmethod
    def of_run(cls, run_id: str, scorers: Sequence[Scorer], config: ScoringConfig) -> Self:
        """The settings of a run with a model and further models."""
        scorer, *further = scorers
        return cls(
            run_id=run_id,
            output=config.output,
            wide=scorer.bundle.has_wide_part,
            max_unknown=config.max_unknown,
            further=further,
        )

    @property
    def prefixes(self) -> list[str]:
        """The column prefix of each further model."""
        return column_prefixes([scorer.bundle.model_version for scorer in self.further])

    def schema_for(self, documents: pa.RecordBatch) -> pa.Schema:
        """The schema of the predictions of a batch of documents, kept columns included."""
        return predictions_schema(
            kept_fields_in(documents.schema),
            wide=self.wide,
            further=[
                (prefix, scorer.bundle.has_wide_part)
                for prefix, scorer in zip(self.prefixes, self.further, strict=True)
            ],
            attention_type=self.output.attention_type,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoredBatch:
    """The result of scoring one record batch.

    Attributes:
        documents: the documents that have a prediction.
        predictions: one row for each of `documents`, in the same order.
        rejections: batches of the rows that have no prediction.
    """

    documents: pa.RecordBatch
    predictions: pa.RecordBatch
    rejections: Sequence[pa.RecordBatch]


def score_batch(
    scorer: Scorer, documents: pa.RecordBatch, *, context: PredictionContext
) -> ScoredBatch:
    """Scores a batch as a whole; an error of a scorer is not caught.

    Rows without a token (`empty_text`) and rows for which the model returns NaN or infinity
    (`scoring_failed`) become rejections.
    """
    columns, has_tokens = scorer.score(documents.column("text"))
    rejections = []
    if not has_tokens.all():
        rejections.append(reject_without_tokens(documents, ~has_tokens))
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
    predictions = _build_predictions(scorer, documents, columns, context=context)
    return ScoredBatch(documents=documents, predictions=predictions, rejections=rejections)


def reject_batch(
    documents: pa.RecordBatch, detail: str, *, context: PredictionContext
) -> ScoredBatch:
    """A result in which every document is rejected as `scoring_failed`."""
    every = np.ones(documents.num_rows, dtype=bool)
    return ScoredBatch(
        documents=documents.slice(0, 0),
        predictions=pa.RecordBatch.from_pylist([], context.schema_for(documents)),
        rejections=[reject_documents(documents, every, reason="scoring_failed", detail=detail)],
    )


def _build_predictions(
    scorer: Scorer,
    documents: pa.RecordBatch,
    columns: pa.RecordBatch,
    *,
    context: PredictionContext,
) -> pa.RecordBatch:
    """The prediction rows of documents, given the columns that the scorer returned for them."""
    by_name = {
        **_shape(columns, context),
        "document_id": documents.column("document_id"),
        "model_version": pa.repeat(scorer.bundle.model_version, documents.num_rows),
        "run_id": pa.repeat(context.run_id, documents.num_rows),
        **{field.name: documents.column(field.name) for field in kept_fields_in(documents.schema)},
    }
    for prefix, further in zip(context.prefixes, context.further, strict=True):
        added = _score_further(further, documents.column("text"), context=context)
        names = model_columns(wide=further.bundle.has_wide_part)
        by_name.update({prefix + name: added[name] for name in names})
    schema = context.schema_for(documents)
    return pa.record_batch(
        [by_name[field.name].cast(field.type) for field in schema], schema=schema
    )


def _shape(columns: pa.RecordBatch, context: PredictionContext) -> dict[str, pa.Array]:
    """A scorer's columns as the run writes them."""
    return abstain(limit_attention(columns, context.output), context.max_unknown)


def _score_further(
    scorer: Scorer, texts: pa.StringArray, *, context: PredictionContext
) -> dict[str, pa.Array]:
    """The columns of a further model; null for a text in which the model finds no token."""
    columns, has_tokens = scorer.score(texts)
    if not _are_finite(columns).all():
        raise ArithmeticError(f"{scorer.bundle.model_version} returned NaN or infinity")
    shaped = _shape(columns, context)
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
