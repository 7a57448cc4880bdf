"""All metrics of a model on one split, as `metrics.json` and the reports hold them."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from model.metrics.calibration import Calibration, measure_calibration
from model.metrics.classification import (
    accuracy,
    confusion_matrix,
    log_loss,
    macro_f1,
    precision_recall_f1,
)
from model.metrics.multilabel import binary_log_loss, exact_match, label_rates, multilabel_f1
from model.metrics.rates import Rates
from model.metrics.semeval import are_directed_relations, semeval_f1

# How far from 1 the sum of a row may be: the rounding of a half-precision softmax is accepted,
# and logits are refused.
_SUM_TOLERANCE = 1e-2


class LabelMetrics(TypedDict):
    """One class; `rows` is how many documents truly belong to it."""

    precision: float
    recall: float
    f1: float
    rows: int


class Evaluation(TypedDict):
    """The metrics of a model on one split, ready for JSON.

    `confusion[i][j]` counts documents of class `labels[i]` predicted as `labels[j]`. A multi-label
    evaluation has `micro_f1` but no confusion matrix; only labels that are directed relations have
    `semeval_f1`.
    """

    rows: int
    accuracy: float
    macro_f1: float
    loss: float
    labels: list[str]
    by_label: dict[str, LabelMetrics]
    confusion: NotRequired[list[list[int]]]
    calibration: NotRequired[Calibration]
    micro_f1: NotRequired[float]
    semeval_f1: NotRequired[float]


def evaluate(
    probabilities: ArrayLike,
    truth: ArrayLike,
    *,
    labels: Sequence[str],
    multilabel: bool = False,
) -> Evaluation:
    """Computes every metric that applies to the predictions.

    With one label per document, the predicted class is the most probable one; if several are
    equally probable, it is the first of them. With `multilabel`, a label is predicted where its
    probability is at least 0.5; `accuracy` is the share of documents whose whole set of labels is
    right, and `loss` is the binary cross-entropy, the mean over documents and labels.

    Args:
        probabilities: `(rows, labels)`, each in [0, 1]; unless `multilabel`, each row sums to 1.
            Give the single column of a sigmoid head as two columns.
        truth: int `(rows,)`, indices into `labels`; with `multilabel`, 0 and 1 `(rows, labels)`.
        labels: the class names in the order of the columns.
        multilabel: whether a document may have any number of labels.

    Raises:
        ValueError: if there are no rows, the shapes do not fit each other, a row is not a
            probability distribution, or a truth is not an index of `labels`.
    """
    probabilities, truth = np.asarray(probabilities, np.float64), np.asarray(truth)
    _require_table("probabilities", probabilities, columns=len(labels))
    if multilabel:
        _require_label_sets(truth, probabilities)
        return _evaluate_label_sets(probabilities, truth.astype(bool), labels)
    _require_distributions(probabilities)
    _require_classes(truth, probabilities)
    return _evaluate_classes(probabilities, truth, labels)


def _evaluate_classes(
    probabilities: np.ndarray, truth: np.ndarray, labels: Sequence[str]
) -> Evaluation:
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(truth, predicted, classes=len(labels))
    evaluation = Evaluation(
        rows=len(truth),
        accuracy=accuracy(confusion),
        macro_f1=macro_f1(confusion),
        loss=log_loss(probabilities, truth),
        labels=list(labels),
        by_label=_by_label(labels, precision_recall_f1(confusion), confusion.sum(axis=1)),
        confusion=confusion.tolist(),
        calibration=measure_calibration(probabilities.max(axis=1), predicted == truth),
    )
    if are_directed_relations(labels):
        evaluation["semeval_f1"] = semeval_f1(
            [labels[index] for index in truth], [labels[index] for index in predicted]
        )
    return evaluation


def _evaluate_label_sets(
    probabilities: np.ndarray, truth: np.ndarray, labels: Sequence[str]
) -> Evaluation:
    predicted = probabilities >= 0.5
    micro, macro = multilabel_f1(truth, predicted)
    return Evaluation(
        rows=len(truth),
        accuracy=exact_match(truth, predicted),
        macro_f1=macro,
        micro_f1=micro,
        loss=binary_log_loss(probabilities, truth),
        labels=list(labels),
        by_label=_by_label(labels, label_rates(truth, predicted), truth.sum(axis=0)),
        calibration=measure_calibration(probabilities.ravel(), truth.ravel()),
    )


def _by_label(labels: Sequence[str], rates: Rates, rows: np.ndarray) -> dict[str, LabelMetrics]:
    return {
        label: LabelMetrics(
            precision=float(rates.precision[index]),
            recall=float(rates.recall[index]),
            f1=float(rates.f1[index]),
            rows=int(rows[index]),
        )
        for index, label in enumerate(labels)
    }


def _require_table(name: str, values: np.ndarray, *, columns: int) -> None:
    """Raises `ValueError` unless `values` is `(at least 1, columns)`, each in [0, 1]."""
    if values.ndim != 2 or values.shape[1] != columns:
        raise ValueError(f"{name}: expected shape (rows, {columns}), got {values.shape}")
    if not len(values):
        raise ValueError(f"{name}: expected at least one row, got none")
    if not ((values >= 0) & (values <= 1 + _SUM_TOLERANCE)).all():
        raise ValueError(f"{name}: expected values in [0, 1], got other values or NaN")


def _require_distributions(probabilities: np.ndarray) -> None:
    worst = np.abs(probabilities.sum(axis=1) - 1).max()
    if worst > _SUM_TOLERANCE:
        raise ValueError(
            f"probabilities: expected rows that sum to 1, got a sum that is off by {worst:.3g}"
        )


def _require_classes(truth: np.ndarray, probabilities: np.ndarray) -> None:
    rows, classes = probabilities.shape
    if truth.shape != (rows,) or not np.issubdtype(truth.dtype, np.integer):
        raise ValueError(f"truth: expected {rows} integers, got {truth.dtype} {truth.shape}")
    if truth.min() < 0 or truth.max() >= classes:
        raise ValueError(
            f"truth: expected indices in [0, {classes}), got {truth.min()} to {truth.max()}"
        )


def _require_label_sets(truth: np.ndarray, probabilities: np.ndarray) -> None:
    if truth.shape != probabilities.shape:
        raise ValueError(
            f"truth: expected the shape of the probabilities, {probabilities.shape}, "
            f"got {truth.shape}"
        )
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("truth: expected only 0 and 1, got other values")
