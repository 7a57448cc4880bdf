"""The confusion matrix of a page: its cells and shades; `confusion_matrix.html` draws it."""

import dataclasses
import heapq
from collections.abc import Sequence

from model.metrics.evaluation import Evaluation
from pipeline.reports.shading import LEVELS

MATRIX_LABELS = 30  # with more labels only the most frequent confusions are listed
CONFUSIONS = 10  # that are listed
# With more labels, or longer ones, the columns have numbers in place of labels.
_NAMED_COLUMNS, _NAME_CHARACTERS = 8, 14


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix.

    Attributes:
        rows: documents of the row's label that were given the column's label.
        share: of the documents of the row's label.
        level: the shade, from 0 (no document) to `LEVELS`.
    """

    rows: int
    share: float
    level: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusionMatrix:
    """A confusion matrix to draw.

    Attributes:
        labels: the true label of each row.
        columns: the heading of each column: the predicted label, or its number.
        numbered: whether the columns are numbered.
        cells: a list of cells for each row.
    """

    labels: Sequence[str]
    columns: Sequence[str]
    numbered: bool
    cells: Sequence[Sequence[Cell]]


@dataclasses.dataclass(frozen=True)
class Confusion:
    """Documents of one label that were given another; `share` is of the first label."""

    truth: str
    label: str
    rows: int
    share: float


def confusion_matrix(evaluation: Evaluation) -> ConfusionMatrix | None:
    """The matrix with its shades; None for multi-label models and with too many labels."""
    confusion = evaluation.get("confusion", [])
    if not 0 < len(confusion) <= MATRIX_LABELS:
        return None
    labels = evaluation["labels"]
    named = len(labels) <= _NAMED_COLUMNS and max(map(len, labels)) <= _NAME_CHARACTERS
    return ConfusionMatrix(
        labels=labels,
        columns=labels if named else [str(number) for number in range(1, len(labels) + 1)],
        numbered=not named,
        cells=[[_cell(rows, total=sum(line)) for rows in line] for line in confusion],
    )


def frequent_confusions(evaluation: Evaluation) -> list[Confusion]:
    """The pairs of labels that are confused most often, the most frequent first."""
    labels = evaluation["labels"]
    found = (
        Confusion(labels[truth], labels[label], rows, rows / total)
        for truth, line in enumerate(evaluation.get("confusion", []))
        for total in [sum(line)]
        for label, rows in enumerate(line)
        if rows and truth != label
    )
    return heapq.nlargest(CONFUSIONS, found, key=_rows)


def _cell(rows: int, *, total: int) -> Cell:
    share = rows / total if total else 0.0
    # At least level 1, so that a single error among thousands is visible.
    return Cell(rows, share, max(round(LEVELS * share), 1) if rows else 0)


def _rows(confusion: Confusion) -> int:
    return confusion.rows
