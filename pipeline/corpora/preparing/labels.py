"""Counts labels by split, and numbers them in a stable order."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from model.config import ConfigError
from pipeline.corpora.reading.accounting import describe_rejected
from pipeline.corpora.reading.counts import add_counts, count_values


def count_labels(documents: pa.RecordBatch, *, multilabel: bool) -> dict[str, Any]:
    """Counts documents and labels by split, and the documents that have a group.

    Returns:
        `{"documents": {split: n}, "labels": {split: {label: n}}, "grouped": n}`; a label that has
        only a teacher's probability counts in `labels`, too.
    """
    grouped = documents.num_rows - documents.column("group").null_count
    counts: dict[str, Any] = {"documents": {}, "labels": {}, "grouped": grouped}
    splits = documents.column("split")
    for split in pc.unique(splits).to_pylist():
        chosen = documents.filter(pc.equal(splits, split))
        labels = chosen.column("labels").flatten() if multilabel else chosen.column("label")
        counts["documents"][split] = chosen.num_rows
        taught = chosen.column("soft_labels").flatten().field("label")
        counts["labels"][split] = add_counts([count_values(labels), count_values(taught)])
    return counts


def index_labels(counts: Mapping[str, Any], *, where: str) -> tuple[str, ...]:
    """The labels of the training split, sorted: a label's position is its index.

    Args:
        counts: the sum of `count_labels` over all batches.
        where: the name of the corpus in error messages.

    Raises:
        ConfigError: if the training split has no document or fewer than two labels.
    """
    documents = counts.get("documents", {})
    if not documents.get("train"):
        other = f"{sum(documents.values()):,} in other splits" if documents else "none"
        rejected = describe_rejected(counts.get("rejected", {}), counts.get("first_rejected", {}))
        raise ConfigError(
            f"{where}: expected documents in the training split, got {other}"
            f"{f'; rows were rejected: {rejected}' if rejected else ''}. "
            "Check the inputs, their split and the columns."
        )
    # labels.txt has one label per line, so a label that contains a line feed is left out, and
    # its documents are rejected as `unknown_label`.
    labels = tuple(sorted(label for label in counts["labels"]["train"] if "\n" not in label))
    if len(labels) < 2:
        got = f"only {labels[0]!r}" if labels else "none"
        raise ConfigError(
            f"{where}: expected at least 2 labels in the training split, got {got}. "
            "Check corpus.columns.label. If the corpus has only probabilities, they must be given "
            "by label name."
        )
    return labels
