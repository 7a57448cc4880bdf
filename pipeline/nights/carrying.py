"""Unchanged documents take their predictions from an earlier night."""

import numpy as np
import pyarrow as pa

from model.scoring.scorer import digest_texts
from pipeline.corpora.scoring.output_columns import kept_fields
from pipeline.corpora.scoring.predictions import PredictionContext, ScoredBatch
from pipeline.nights.earlier import EarlierRows


def carry_documents(
    earlier: EarlierRows,
    documents: pa.RecordBatch,
    *,
    context: PredictionContext,
    model_version: str,
) -> tuple[ScoredBatch, pa.RecordBatch, int]:
    """Parts a batch into the rows that an earlier partition answers and those to score.

    Returns:
        `(carried, rest, known)`: documents with their earlier predictions, in the order of
        that partition and named for this run; the other documents, in their order; how many
        ids the partition has.
    """
    found = earlier.find(documents.column("document_id"), digest_texts(documents.column("text")))
    schema = context.schema_for(documents)
    rows = len(found.rows)
    if found.predictions is None or not rows:
        nothing = pa.RecordBatch.from_pylist([], schema)
        empty = ScoredBatch(documents=documents.slice(0, 0), predictions=nothing, rejections=[])
        return empty, documents, found.known
    carried = documents.take(pa.array(found.rows))
    columns = {name: found.predictions.column(name) for name in found.predictions.schema.names}
    columns |= {field.name: carried.column(field.name) for field in kept_fields(carried.schema)}
    columns["run_id"] = pa.repeat(context.run_id, rows)
    columns["model_version"] = pa.repeat(model_version, rows)
    predictions = pa.record_batch(
        [columns[field.name].cast(field.type) for field in schema], schema=schema
    )
    left = np.ones(documents.num_rows, bool)
    left[found.rows] = False
    rest = documents.filter(pa.array(left))
    return ScoredBatch(documents=carried, predictions=predictions, rejections=[]), rest, found.known
