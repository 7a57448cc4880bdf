"""True labels with predicted probabilities: the input of an evaluation."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.counts import count_values
from pipeline.schemas import DOCUMENTS, PREDICTIONS

LABELED_PREDICTIONS = pa.schema(
    [
        DOCUMENTS.field("label"),
        DOCUMENTS.field("labels"),
        PREDICTIONS.field("probabilities"),
        pa.field("answered", pa.bool_(), nullable=False),
    ]
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabeledPredictions:
    """The true labels and the predicted probabilities of a scored corpus.

    Attributes:
        labels: int64 `(rows,)` indices of the true labels, or `(rows, labels)` multi-hot.
        probabilities: float32 `(rows, labels)`.
        answered: bool `(rows,)`, False where the model abstained (`scoring.max_unknown`).
        unlabeled: how many rows were left out because they have no label, or one that the model
            does not know. A row with several labels is left out only if it has no list of them.
        unknown_labels: how many rows have each label that the model does not know.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    answered: np.ndarray
    unlabeled: int
    unknown_labels: Mapping[str, int]

    @property
    def coverage(self) -> float:
        """The share of the rows that were answered."""
        return float(self.answered.mean())


def label_predictions(
    documents: pa.RecordBatch, predictions: pa.RecordBatch
) -> tuple[int, pa.RecordBatch]:
    """The columns of a scored batch that an evaluation needs, as `(0, batch)`.

    The order of rows does not matter in an evaluation, so all batches get the unit index 0.
    """
    columns = [
        documents.column("label"),
        documents.column("labels"),
        predictions.column("probabilities"),
        predictions.column("label").is_valid(),
    ]
    return 0, pa.record_batch(columns, schema=LABELED_PREDICTIONS)


def stack_labeled_predictions(
    tables: Sequence[pa.Table], *, labels: Sequence[str], multilabel: bool
) -> LabeledPredictions:
    """Joins the batches of `label_predictions` into arrays.

    Args:
        tables: of schema `LABELED_PREDICTIONS`.
        labels: the labels of the model, by index.
        multilabel: whether each document has a list of labels.
    """
    table = pa.concat_tables([LABELED_PREDICTIONS.empty_table(), *tables]).combine_chunks()
    known = pa.array(labels, pa.string())
    flat = table.column("probabilities").combine_chunks().flatten().to_numpy()
    probabilities = flat.reshape(table.num_rows, len(labels))
    given = table.column("label").combine_chunks()
    if multilabel:
        column = table.column("labels").combine_chunks()
        given = column.flatten()
        indices = pc.index_in(column.flatten(), known)
        rows = column.value_parent_indices().filter(indices.is_valid())
        truth = np.zeros(probabilities.shape, np.int64)  # multi-hot
        truth[rows.to_numpy(), indices.drop_null().to_numpy()] = 1
        usable = np.asarray(column.is_valid())
    else:
        found = pc.index_in(given, known)
        usable = np.asarray(found.is_valid())
        truth = found.fill_null(-1).to_numpy().astype(np.int64)
    return LabeledPredictions(
        labels=truth[usable],
        probabilities=probabilities[usable],
        answered=np.asarray(table.column("answered"))[usable],
        unlabeled=int((~usable).sum()),
        unknown_labels=count_values(given.filter(pc.invert(pc.is_in(given, value_set=known)))),
    )
