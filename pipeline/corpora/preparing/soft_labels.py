"""The soft labels of documents -> one probability for each label of the dataset."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoftLabels:
    """The soft labels of a batch, and which of them fit the labels of the dataset.

    Attributes:
        probabilities: float32 `(rows, labels)`; NaN in every row without soft labels that fit.
        given: whether a document has soft labels, bool `(rows,)`.
        unknown: whether one of them is of a label that the dataset lacks, bool `(rows,)`.
        malformed: whether their number is not that of the dataset's labels, though they have no
            names, or all of them are 0, though one must be right; bool `(rows,)`.
    """

    probabilities: np.ndarray
    given: np.ndarray
    unknown: np.ndarray
    malformed: np.ndarray


def place_soft_labels(
    column: pa.ListArray, labels: pa.StringArray, *, exclusive: bool
) -> SoftLabels:
    """Puts the soft labels of documents in the order of the dataset's labels.

    A label that a document does not name has the probability 0.

    Args:
        column: `soft_labels` of a documents batch, type `SOFT_LABELS`.
        labels: the labels of the dataset, by index.
        exclusive: whether a document has exactly one label.
    """
    rows = len(column)
    given = np.asarray(column.is_valid())
    entries = column.flatten()
    row = column.value_parent_indices().to_numpy()
    counts = np.bincount(row, minlength=rows)
    position = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    named = np.asarray(entries.field("label").is_valid())
    found = pc.fill_null(pc.index_in(entries.field("label"), labels), -1).to_numpy()
    index = np.where(named, found, position)

    unknown = np.zeros(rows, bool)
    unknown[row[index < 0]] = True
    malformed = np.zeros(rows, bool)
    malformed[row[~named]] = True
    malformed &= counts != len(labels)

    probabilities = np.full((rows, len(labels)), np.nan, np.float32)
    probabilities[given] = 0
    fits = (index >= 0) & (index < len(labels))
    probabilities[row[fits], index[fits]] = entries.field("probability").to_numpy()[fits]
    if exclusive:
        malformed |= given & ~unknown & ~(probabilities.sum(axis=1) > 0)
    probabilities[unknown | malformed] = np.nan
    return SoftLabels(
        probabilities=probabilities, given=given, unknown=unknown, malformed=malformed
    )


def describe_unknown(column: pa.ListArray, labels: pa.StringArray) -> pa.StringArray:
    """The detail of an `unknown_label` rejection, for each row of `column`."""
    known = set(labels.to_pylist())
    return pa.array(
        [
            "expected probabilities of labels of the training split, got "
            + ", ".join(
                repr(entry["label"])
                for entry in entries or ()
                if entry["label"] is not None and entry["label"] not in known
            )
            for entries in column.to_pylist()
        ],
        pa.string(),
    )


def describe_malformed(column: pa.ListArray, labels: pa.StringArray) -> pa.StringArray:
    """The detail of a `malformed_row` rejection, for each row of `column`."""
    return pa.array(
        [
            f"expected {len(labels)} probabilities, one for each label in the order of labels.txt, "
            f"of which one is above 0, got {[entry['probability'] for entry in entries or ()]}"
            for entries in column.to_pylist()
        ],
        pa.string(),
    )
