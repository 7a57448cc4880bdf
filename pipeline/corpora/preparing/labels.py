"""Labels: counted by split in the survey, indexed in a stable order."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from model.config import ConfigError, Head
from pipeline.corpora.reading.counts import count_values


def count_labels(documents: pa.RecordBatch, *, multilabel: bool) -> dict[str, Any]:
    """Counts documents and labels by split, and documents with a group."""
    grouped = documents.num_rows - documents.column("group").null_count
    counts: dict[str, Any] = {"documents": {}, "labels": {}, "grouped": grouped}
    splits = documents.column("split")
    for split in pc.unique(splits).to_pylist():
        chosen = documents.filter(pc.equal(splits, split))
        labels = chosen.column("labels").flatten() if multilabel else chosen.column("label")
        counts["documents"][split] = chosen.num_rows
        counts["labels"][split] = count_values(labels)
    return counts


def index_labels(counts: Mapping[str, Any], *, where: str) -> tuple[str, ...]:
    """The labels of the training split, sorted: a label's position is its index.

    Args:
        counts: the sum of `count_labels`.
        where: what the corpus is called in messages.

    Raises:
        ConfigError: if there is no training document, or fewer than two labels.
    """
    documents = counts.get("documents", {})
    if not documents.get("train"):
        other = f"{sum(documents.values()):,} in other splits" if documents else "none"
        rejected = ", ".join(
            f"{count:,} {reason}" for reason, count in sorted(counts.get("rejected", {}).items())
        )
        raise ConfigError(
            f"{where}: expected documents in the training split, got {other}"
            f"{f'; rows were rejected ({rejected})' if rejected else ''}. "
            "Check the inputs, their split and the columns."
        )
    # A line feed would end a line of labels.txt; such a label stays unknown.
    labels = tuple(sorted(label for label in counts["labels"]["train"] if "\n" not in label))
    if len(labels) < 2:
        got = f"only {labels[0]!r}" if labels else "none"
        raise ConfigError(
            f"{where}: expected at least 2 labels in the training split, got {got}. "
            "Check corpus.columns.label."
        )
    return labels


def check_groups(counts: Mapping[str, Any], *, column: str | None) -> None:
    """Checks that documents have groups if a column of groups is configured.

    Raises:
        ConfigError: if none has.
    """
    if column is not None and not counts["grouped"]:
        raise ConfigError(
            f"corpus.columns.group: expected groups in the column {column!r}, got none in any row. "
            "Name the right column."
        )


def check_head(head: Head, *, labels: Sequence[str], multilabel: bool) -> None:
    """Checks that a network's head can learn the labels of a dataset.

    Args:
        head: of the network.
        labels: the known ones.
        multilabel: whether documents have lists of labels.

    Raises:
        ConfigError: if it cannot.
    """
    if multilabel and head != "multilabel":
        raise ConfigError(
            "network.head: expected multilabel for the lists in corpus.columns.labels, got "
            f"{head}. Pass --set network.head=multilabel."
        )
    if head == "multilabel" and not multilabel:
        raise ConfigError(
            "network.head: expected softmax or sigmoid for one label a document, got multilabel. "
            "Name a column of lists in corpus.columns.labels or pass --set network.head=softmax."
        )
    if head == "sigmoid" and len(labels) != 2:
        raise ConfigError(
            f"network.head: expected softmax for {len(labels)} labels, got sigmoid. "
            "Pass --set network.head=softmax."
        )
