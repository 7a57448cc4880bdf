"""How good a classifier is: accuracy, F1, log loss, calibration, SemEval's official score.

Plain NumPy on probabilities and class indices. `evaluate` gathers everything
that `metrics.json` and the reports show; the functions it is made of stand
alone. Rates are fractions in [0, 1], and a rate whose denominator is 0 is 0:
a class that was never predicted has precision 0, as in scikit-learn's
`zero_division=0`.
"""

import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import ArrayLike

# Keras clips probabilities here too, so that our loss is the one training printed.
_SMALLEST_PROBABILITY = 1e-7

# Wide enough for a half-precision softmax, narrow enough to refuse logits.
_SUM_TOLERANCE = 1e-2

_DIRECTED_RELATION = re.compile(r"([A-Za-z][A-Za-z-]*)\((?:e1,e2|e2,e1)\)")
_NO_RELATION = "Other"


class LabelMetrics(TypedDict):
    """One class; `rows` is how many documents truly belong to it."""

    precision: float
    recall: float
    f1: float
    rows: int


class ReliabilityBin(TypedDict):
    """The documents whose confidence lies in `(lower, upper]`; means are None without rows."""

    lower: float
    upper: float
    rows: int
    confidence: float | None
    accuracy: float | None


class Calibration(TypedDict):
    """Does a score of 0.8 mean right four times out of five?"""

    expected_calibration_error: float
    bins: list[ReliabilityBin]


class Evaluation(TypedDict):
    """What one split says about a model, ready for JSON.

    `confusion[i][j]` counts documents of class `labels[i]` predicted as
    `labels[j]`. A multi-label evaluation has `micro_f1` and neither a
    confusion matrix nor a calibration.
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


def evaluate(probabilities: ArrayLike, truth: ArrayLike, *, labels: Sequence[str]) -> Evaluation:
    """Everything there is to say about single-label predictions.

    The predicted class is the most probable one, the first of equals.
    `semeval_f1` is there when the labels are directed relations, such as
    `Cause-Effect(e1,e2)`, and `Other`.

    Args:
        probabilities: `(rows, labels)`, each row summing to 1. A sigmoid head's
            single column has to be given as two.
        truth: `(rows,)` integers, indices into `labels`.
        labels: the class names in the order of the columns.

    Raises:
        ValueError: if there are no rows, the shapes disagree, a row is not a
            probability distribution, or a truth is not an index of `labels`.
    """
    probabilities, truth = _checked(probabilities, truth, classes=len(labels))
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(truth, predicted, classes=len(labels))
    evaluation = Evaluation(
        rows=len(truth),
        accuracy=accuracy(confusion),
        macro_f1=macro_f1(confusion),
        loss=log_loss(probabilities, truth),
        labels=list(labels),
        by_label=_by_label(labels, *precision_recall_f1(confusion), confusion.sum(axis=1)),
        confusion=confusion.tolist(),
        calibration=calibration(probabilities.max(axis=1), predicted == truth),
    )
    if are_directed_relations(labels):
        evaluation["semeval_f1"] = semeval_macro_f1(
            [labels[index] for index in truth], [labels[index] for index in predicted]
        )
    return evaluation


def evaluate_multilabel(
    probabilities: ArrayLike, truth: ArrayLike, *, labels: Sequence[str]
) -> Evaluation:
    """Everything there is to say about predictions of any number of labels a document.

    A label is predicted where its probability is at least 0.5. `accuracy` is
    the share of documents whose whole set of labels is right; `loss` is the
    binary cross-entropy, the mean over documents and labels.

    Args:
        probabilities: `(rows, labels)`, each in [0, 1].
        truth: `(rows, labels)` of 0 and 1.
        labels: the class names in the order of the columns.

    Raises:
        ValueError: if there are no rows or the shapes disagree, or a value is
            out of range.
    """
    probabilities = np.asarray(probabilities, np.float64)
    truth = np.asarray(truth)
    _require_table(probabilities, columns=len(labels))
    _require_table(truth, columns=len(labels))
    if probabilities.shape != truth.shape:
        raise ValueError(
            f"truth: expected shape {probabilities.shape} as the probabilities, got {truth.shape}"
        )
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("truth: expected 0 and 1 alone, got other values")
    truth, predicted = truth.astype(bool), probabilities >= 0.5
    micro, macro = multilabel_f1(truth, predicted)
    likelihood = np.where(truth, probabilities, 1 - probabilities)
    return Evaluation(
        rows=len(truth),
        accuracy=float((truth == predicted).all(axis=1).mean()),
        macro_f1=macro,
        micro_f1=micro,
        loss=float(-np.log(likelihood.clip(_SMALLEST_PROBABILITY)).mean()),
        labels=list(labels),
        by_label=_by_label(labels, *_label_rates(truth, predicted), truth.sum(axis=0)),
        calibration=calibration(probabilities.ravel(), truth.ravel()),
    )


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, *, classes: int) -> np.ndarray:
    """Counts int64 `(classes, classes)`: row = true class, column = predicted class."""
    cells = np.asarray(truth, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def accuracy(confusion: np.ndarray) -> float:
    """The share of documents on the diagonal of a confusion matrix."""
    return float(_rate(np.trace(confusion), confusion.sum()))


def precision_recall_f1(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1, each float64 `(classes,)`, of a confusion matrix.

    With TP on the diagonal, P = TP / predicted, R = TP / true, and F1 =
    2 P R / (P + R) = 2 TP / (predicted + true) (van Rijsbergen, Information
    Retrieval, 1979, chapter 7, with alpha = 1/2).
    """
    hits = np.diagonal(confusion)
    return _rates(hits, confusion.sum(axis=0), confusion.sum(axis=1))


def macro_f1(confusion: np.ndarray) -> float:
    """The mean F1 over the classes that occur in the truth or the predictions.

    The mean of the classes' F1, not the F1 of their mean precision and recall;
    Opitz and Burst, "Macro F1 and Macro F1", 2019, on why that matters.
    """
    occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    _, _, f1 = precision_recall_f1(confusion)
    return float(f1[occurs].mean()) if occurs.any() else 0.0


def log_loss(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """The mean of -ln p(true class), in nats; probabilities are clipped to 1e-7.

    The categorical cross-entropy of Keras (Good, "Rational Decisions", 1952).
    """
    probabilities, truth = np.asarray(probabilities, np.float64), np.asarray(truth)
    likelihood = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(likelihood.clip(_SMALLEST_PROBABILITY, 1.0)).mean())


def calibration(confidence: ArrayLike, right: ArrayLike, *, bins: int = 10) -> Calibration:
    """Expected calibration error and the reliability table behind it.

    Over M equal-width bins B_m = ((m - 1) / M, m / M] of confidence, ECE = sum of |B_m| / n *
    |accuracy(B_m) - mean confidence(B_m)| (Guo et al., "On Calibration of
    Modern Neural Networks", ICML 2017, equation 3).

    Args:
        confidence: `(answers,)`, the probability of each answer: of the predicted class, or of
            each label of each document where there may be several.
        right: `(answers,)`, whether it was right.
        bins: M.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, bool)
    edges = np.arange(bins + 1) / bins
    # A confidence on an edge belongs to the bin below; 0 belongs to the first.
    bin_of = np.searchsorted(edges[1:-1], confidence, side="left")
    rows = np.bincount(bin_of, minlength=bins)
    confidence_sum = np.bincount(bin_of, weights=confidence, minlength=bins)
    right_sum = np.bincount(bin_of, weights=right, minlength=bins)
    table = [
        ReliabilityBin(
            lower=float(edges[index]),
            upper=float(edges[index + 1]),
            rows=int(count),
            confidence=float(confidence_sum[index] / count) if count else None,
            accuracy=float(right_sum[index] / count) if count else None,
        )
        for index, count in enumerate(rows)
    ]
    # |B_m| * |mean - mean| = |sum - sum|, so the counts cancel.
    error = np.abs(right_sum - confidence_sum).sum() / max(len(right), 1)
    return Calibration(expected_calibration_error=float(error), bins=table)


def multilabel_f1(truth: ArrayLike, predicted: ArrayLike) -> tuple[float, float]:
    """Micro and macro F1 of label sets, both arguments bool `(rows, labels)`.

    Micro pools TP, predicted and true over all labels before one F1; macro is
    the mean of the F1 of the labels that occur in either (Tsoumakas and
    Katakis, "Multi-Label Classification: An Overview", 2007).
    """
    truth, predicted = np.asarray(truth, bool), np.asarray(predicted, bool)
    micro = _rate(2 * (truth & predicted).sum(), truth.sum() + predicted.sum())
    _, _, f1 = _label_rates(truth, predicted)
    occurs = truth.any(axis=0) | predicted.any(axis=0)
    return float(micro), float(f1[occurs].mean()) if occurs.any() else 0.0


def are_directed_relations(labels: Sequence[str]) -> bool:
    """Whether every label is `Other` or a relation with a direction, and one is the latter."""
    relations = [label for label in labels if label != _NO_RELATION]
    return bool(relations) and all(_DIRECTED_RELATION.fullmatch(label) for label in relations)


def semeval_macro_f1(truth: Sequence[str], predicted: Sequence[str | None]) -> float:
    """The official score of SemEval-2010 Task 8, a fraction (the scorer prints percent).

    "(9+1)-way evaluation with directionality taken into account, macro-averaged
    F1": the two directions of a relation are one class, and a prediction of the
    right relation in the wrong direction is wrong, yet counts as a prediction
    of it. For each relation that occurs in the truth, F1 = 2 TP / (predicted +
    true); the score is their mean. `Other` is no relation: predicting it or
    missing it only shows in the relations' recall and precision (Hendrickx et
    al., SemEval 2010, and its `semeval2010_task8_scorer-v1.2.pl`).

    Args:
        truth: labels such as `Cause-Effect(e2,e1)` or `Other`.
        predicted: one a truth; None where the system gave no answer, which
            counts against recall alone.

    Raises:
        ValueError: if the lengths differ or a label has another form.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"predicted: expected {len(truth)} labels, got {len(predicted)}")
    true_relations = [_relation(label) for label in truth]
    predicted_relations = [
        _NO_RELATION if label is None else _relation(label) for label in predicted
    ]
    scores = []
    for relation in sorted(set(true_relations) - {_NO_RELATION}):
        hits = sum(
            label == answer and own == relation
            for label, answer, own in zip(truth, predicted, true_relations, strict=True)
        )
        expected = true_relations.count(relation)
        scores.append(2 * hits / (predicted_relations.count(relation) + expected))
    return sum(scores) / len(scores) if scores else 0.0


def _relation(label: str) -> str:
    """The name of a directed relation; `Other` stays."""
    if label == _NO_RELATION:
        return label
    match = _DIRECTED_RELATION.fullmatch(label)
    if match is None:
        raise ValueError(
            f"label: expected 'Other', 'Relation(e1,e2)' or 'Relation(e2,e1)', got {label!r}"
        )
    return match[1]


def _rate(part: ArrayLike, whole: ArrayLike) -> np.ndarray:
    """`part / whole`, and 0 where `whole` is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _rates(
    hits: np.ndarray, predicted: np.ndarray, true: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1 of counts."""
    return _rate(hits, predicted), _rate(hits, true), _rate(2 * hits, predicted + true)


def _label_rates(
    truth: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1 of every column of two boolean tables."""
    return _rates((truth & predicted).sum(axis=0), predicted.sum(axis=0), truth.sum(axis=0))


def _by_label(
    labels: Sequence[str],
    precision: np.ndarray,
    recall: np.ndarray,
    f1: np.ndarray,
    rows: np.ndarray,
) -> dict[str, LabelMetrics]:
    return {
        label: LabelMetrics(
            precision=float(precision[index]),
            recall=float(recall[index]),
            f1=float(f1[index]),
            rows=int(rows[index]),
        )
        for index, label in enumerate(labels)
    }


def _require_table(values: np.ndarray, *, columns: int) -> None:
    """Raises `ValueError` unless `values` is `(at least 1, columns)`, each in [0, 1]."""
    if values.ndim != 2 or values.shape[1] != columns:
        raise ValueError(f"probabilities: expected shape (rows, {columns}), got {values.shape}")
    if not len(values):
        raise ValueError("probabilities: expected at least one row, got none")
    if not ((values >= 0) & (values <= 1 + _SUM_TOLERANCE)).all():
        raise ValueError("probabilities: expected values in [0, 1], got others or NaN")


def _checked(
    probabilities: ArrayLike, truth: ArrayLike, *, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """The arguments of `evaluate` as arrays, refused unless they fit each other."""
    probabilities, truth = np.asarray(probabilities, np.float64), np.asarray(truth)
    _require_table(probabilities, columns=classes)
    worst = np.abs(probabilities.sum(axis=1) - 1).max()
    if worst > _SUM_TOLERANCE:
        raise ValueError(f"probabilities: expected rows that sum to 1, got one off by {worst:.3g}")
    if truth.shape != probabilities.shape[:1] or not np.issubdtype(truth.dtype, np.integer):
        raise ValueError(
            f"truth: expected {len(probabilities)} integers, got {truth.dtype} {truth.shape}"
        )
    if truth.min() < 0 or truth.max() >= classes:
        raise ValueError(
            f"truth: expected indices in [0, {classes}), got {truth.min()} to {truth.max()}"
        )
    return probabilities, truth
