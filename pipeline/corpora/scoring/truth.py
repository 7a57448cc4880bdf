"""True labels beside predicted probabilities: what an evaluation compares."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.schemas import DOCUMENTS, PREDICTIONS

TRUTH = pa.schema(
    [DOCUMENTS.field("label"), DOCUMENTS.field("labels"), PREDICTIONS.field("probabilities")]
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Truth:
    """A labeled corpus, scored.

    Attributes:
        labels: int64 `(rows,)` label indices, or `(rows, labels)` multi-hot.
        probabilities: float32 `(rows, labels)`.
        unlabeled: rows left out because they have no label that the model knows.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    unlabeled: int


def keep_truth(
    documents: pa.RecordBatch, predictions: pa.RecordBatch
) -> tuple[int, pa.RecordBatch]:
    """The columns of a scored batch that an evaluation needs, as unit 0."""
    columns = [
        documents.column("label"),
        documents.column("labels"),
        predictions.column("probabilities"),
    ]
    return 0, pa.record_batch(columns, schema=TRUTH)


def stack_truth(tables: Sequence[pa.Table], *, labels: Sequence[str], multilabel: bool) -> Truth:
    """Joins what `keep_truth` kept.

    Args:
        tables: of schema `TRUTH`.
        labels: of the model, by index.
        multilabel: whether a document has several labels.
    """
    table = pa.concat_tables([TRUTH.empty_table(), *tables]).combine_chunks()
    known = pa.array(labels, pa.string())
    flat = table.column("probabilities").combine_chunks().flatten().to_numpy()
    probabilities = flat.reshape(table.num_rows, len(labels))
    if multilabel:
        column = table.column("labels").combine_chunks()
        indices = pc.index_in(column.flatten(), known)
        rows = column.value_parent_indices().filter(indices.is_valid())
        hot = np.zeros(probabilities.shape, np.int64)
        hot[rows.to_numpy(), indices.drop_null().to_numpy()] = 1
        usable = np.asarray(column.is_valid())
        truth = hot
    else:
        found = pc.index_in(table.column("label").combine_chunks(), known)
        usable = np.asarray(found.is_valid())
        truth = found.fill_null(-1).to_numpy().astype(np.int64)
    return Truth(
        labels=truth[usable],
        probabilities=probabilities[usable],
        unlabeled=int((~usable).sum()),
    )
