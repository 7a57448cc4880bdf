"""Checks that the configuration fits what the survey of the corpus found."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.config import ConfigError, Head


def check_groups(counts: Mapping[str, Any], *, column: str | None) -> None:
    """Checks that documents have groups if `corpus.columns.group` names a column.

    Args:
        counts: the sum of `count_labels` over all batches.
        column: the configured column of groups, if any.

    Raises:
        ConfigError: if no document has a group.
    """
    if column is not None and not counts["grouped"]:
        raise ConfigError(
            f"corpus.columns.group: expected groups in the column {column!r}, got none in any row. "
            "Name the right column."
        )


def check_head(head: Head, *, labels: Sequence[str], multilabel: bool) -> None:
    """Checks that the head of a network can learn the labels of a dataset.

    Args:
        head: the configured head.
        labels: the labels of the dataset.
        multilabel: whether each document has a list of labels.

    Raises:
        ConfigError: if the head does not fit the labels; the message names one that does.
    """
    if multilabel and head != "multilabel":
        raise ConfigError(
            "network.head: expected multilabel for the lists in corpus.columns.labels, got "
            f"{head}. Pass --set network.head=multilabel."
        )
    if head == "multilabel" and not multilabel:
        raise ConfigError(
            "network.head: expected softmax or sigmoid for one label per document, got multilabel. "
            "Name a column of lists in corpus.columns.labels or pass --set network.head=softmax."
        )
    if head == "sigmoid" and len(labels) != 2:
        raise ConfigError(
            f"network.head: expected softmax for {len(labels)} labels, got sigmoid. "
            "Pass --set network.head=softmax."
        )
