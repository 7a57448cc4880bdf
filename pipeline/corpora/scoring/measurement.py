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
        labeled: true labels and probabilities of at least one document.
        labels: the labels of the model, by index.
    """
    multilabel = labeled.labels.ndim == 2
    return dict(
        evaluate(labeled.probabilities, labeled.labels, labels=labels, multilabel=multilabel)
    )
