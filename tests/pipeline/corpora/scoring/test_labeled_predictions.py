from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpora.scoring.labeled_predictions import (
    LABELED_PREDICTIONS,
    label_predictions,
    stack_labeled_predictions,
)
from pipeline.schemas import PREDICTIONS
from tests.pipeline.batches import make_documents

LABELS = ("a", "b", "c")


def table_of(*rows: tuple[Any, list[float]], answers: bool = True) -> pa.Table:
    """Labeled predictions from `(label or labels, probabilities)` rows."""
    documents = make_documents(
        *({"labels" if isinstance(given, list) else "label": given} for given, _ in rows)
    )
    predictions = pa.RecordBatch.from_pylist(
        [
            {"probabilities": probabilities, "label": "a" if answers else None}
            for _, probabilities in rows
        ],
        pa.schema([PREDICTIONS.field("probabilities"), PREDICTIONS.field("label")]),
    )
    unit, kept = label_predictions(documents, predictions)
    assert unit == 0
    return pa.Table.from_batches([kept])


ONE_HOT = np.eye(3, dtype=np.float32).tolist()


def test_labels_become_indices_in_the_order_of_their_probabilities() -> None:
    tables = [table_of(("c", ONE_HOT[0])), table_of(("a", ONE_HOT[1]), ("b", ONE_HOT[2]))]
    truth = stack_labeled_predictions(tables, labels=LABELS, multilabel=False)
    assert truth.labels.tolist() == [2, 0, 1]
    assert truth.labels.dtype == np.int64
    assert truth.probabilities.tolist() == ONE_HOT
    assert truth.probabilities.dtype == np.float32
    assert truth.unlabeled == 0


def test_rows_without_a_known_label_are_left_out_and_counted() -> None:
    table = table_of((None, ONE_HOT[0]), ("b", ONE_HOT[1]), ("other", ONE_HOT[2]))
    truth = stack_labeled_predictions([table], labels=LABELS, multilabel=False)
    assert truth.labels.tolist() == [1]
    assert truth.probabilities.tolist() == [ONE_HOT[1]]
    assert truth.unlabeled == 2
    assert truth.unknown_labels == {"other": 1}


def test_rows_without_an_answer_are_marked() -> None:
    tables = [
        table_of(("a", ONE_HOT[0]), ("b", ONE_HOT[1]), (None, ONE_HOT[1])),
        table_of(("a", ONE_HOT[0]), (None, ONE_HOT[2]), answers=False),
    ]
    truth = stack_labeled_predictions(tables, labels=LABELS, multilabel=False)
    assert truth.answered.tolist() == [True, True, False]
    assert truth.coverage == pytest.approx(2 / 3)
    assert truth.unlabeled == 2


def test_several_labels_become_multi_hot_rows() -> None:
    tables = [
        table_of((["c", "a", "other"], ONE_HOT[0]), (None, ONE_HOT[1])),
        table_of(([], ONE_HOT[1]), (["b", "b"], ONE_HOT[2])),
    ]
    truth = stack_labeled_predictions(tables, labels=LABELS, multilabel=True)
    assert truth.labels.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert truth.probabilities.tolist() == ONE_HOT
    assert truth.unlabeled == 1
    assert truth.unknown_labels == {"other": 1}


@pytest.mark.parametrize("multilabel", [False, True])
def test_no_rows_give_empty_arrays(multilabel: bool) -> None:
    truth = stack_labeled_predictions([], labels=LABELS, multilabel=multilabel)
    assert truth.labels.shape == ((0, 3) if multilabel else (0,))
    assert truth.probabilities.shape == (0, 3)
    assert truth.unlabeled == 0


def test_labeled_predictions_are_read_back_from_a_parquet_file(tmp_path: Path) -> None:
    table = table_of(("b", ONE_HOT[0]), ("a", ONE_HOT[1]))
    assert table.schema == LABELED_PREDICTIONS
    pq.write_table(table, tmp_path / "truth.parquet")
    read = pq.read_table(tmp_path / "truth.parquet")
    truth = stack_labeled_predictions([read], labels=LABELS, multilabel=False)
    assert truth.labels.tolist() == [1, 0]
    assert truth.probabilities.tolist() == ONE_HOT[:2]
