"""Copies the rows of documents that have not changed since an earlier night."""

import numpy as np
import pyarrow as pa

from model.scoring.prediction_columns import sha256_of_texts
from pipeline.corpora.scoring.output_columns import kept_fields_in
from pipeline.corpora.scoring.predictions import PredictionContext, ScoredBatch
from pipeline.nights.reusable_rows import ReusableRows


def reuse_rows(
    reusable: ReusableRows,
    documents: pa.RecordBatch,
    *,
    context: PredictionContext,
    model_version: str,
) -> tuple[ScoredBatch, pa.RecordBatch, int]:
    """Divides a batch into the documents whose rows are reused and those to score.

    Args:
        reusable: the rows of the earlier night.
        documents: a batch of schema `documents_schema`.
        context: of this run; its `run_id` replaces that of the earlier run.
        model_version: of this run's model; replaces that of the earlier run.

    Returns:
        `(reused, rest, known)`: the documents with a reusable row and those rows, both in the
        order of the earlier partition, with this run's kept columns; the other documents, in
        their order; how many ids of the batch are in the earlier partition.
    """
    found = reusable.find(
        documents.column("document_id"), sha256_of_texts(documents.column("text"))
    )
    schema = context.schema_for(documents)
    rows = len(found.rows)
    if found.predictions is None or not rows:
        nothing = pa.RecordBatch.from_pylist([], schema)
        empty = ScoredBatch(documents=documents.slice(0, 0), predictions=nothing, rejections=[])
        return empty, documents, found.known
    same = documents.take(pa.array(found.rows))
    columns = {name: found.predictions.column(name) for name in found.predictions.schema.names}
    columns |= {field.name: same.column(field.name) for field in kept_fields_in(same.schema)}
    columns["run_id"] = pa.repeat(context.run_id, rows)
    columns["model_version"] = pa.repeat(model_version, rows)
    predictions = pa.record_batch(
        [columns[field.name].cast(field.type) for field in schema], schema=schema
    )
    left = np.ones(documents.num_rows, bool)
    left[found.rows] = False
    rest = documents.filter(pa.array(left))
    return ScoredBatch(documents=same, predictions=predictions, rejections=[]), rest, found.known
