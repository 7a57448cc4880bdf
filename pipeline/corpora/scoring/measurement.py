"""The metrics of a model over a labeled corpus that it has scored."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from model.bundle.bundle import Bundle
from model.metrics.evaluation import evaluate
from pipeline.corpora.scoring.labeled_predictions import (
    LabeledPredictions,
    stack_labeled_predictions,
)


def stack_predictions_of_model(table: pa.Table, bundle: Bundle) -> LabeledPredictions:
    """Converts a table of schema `LABELED_PREDICTIONS` to arrays, with the labels of a model."""
    multilabel = bundle.config.network.head == "multilabel"
    return stack_labeled_predictions([table], labels=bundle.labels, multilabel=multilabel)


def measure(labeled: LabeledPredictions, *, labels: Sequence[str]) -> dict[str, Any]:
    """Every metric of a model with one label per document, or of a multi-label model.

    Args:
        labeled: true labels and probabilities. Only the documents that were answered count; if
            there are none, `rows`, 0, is all that is returned.
        labels: the labels of the model, by index.
    """
    multilabel = labeled.labels.ndim == 2
    answered = labeled.answered
    if not answered.any():
        return {"rows": 0}
    return dict(
        evaluate(
            labeled.probabilities[answered],
            labeled.labels[answered],
            labels=labels,
            multilabel=multilabel,
        )
    )
