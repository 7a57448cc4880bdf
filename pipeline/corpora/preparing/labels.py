"""Counts labels by split, numbers them in a stable order, and notes which look like mistakes."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from model.bundle.labels_file import MAX_LABELS
from model.config import ConfigError
from pipeline.corpora.reading.accounting import describe_rejected
from pipeline.corpora.reading.counts import add_counts, count_values
from pipeline.process.printable import shortened

# What programs write for no value: MySQL, PostgreSQL and Hive, SQL, pandas, R, Excel, people.
NULL_MARKERS = (
    "\\N", "NULL", "Null", "null", "<null>", "(null)", "nan", "NaN", "NAN", "NaT", "None", "none",
    "NONE", "N/A", "n/a", "NA", "<NA>", "#N/A", "nil", "undefined", "-",
)  # fmt: skip
_MARKERS = pa.array(NULL_MARKERS, pa.string())
_SHOWN = 12  # labels, or groups of them, in a note


def count_labels(documents: pa.RecordBatch, *, multilabel: bool) -> dict[str, Any]:
    """Counts documents and labels by split, the documents with a group, and ids that look null.

    Returns:
        `{"documents": {split: n}, "labels": {split: {label: n}}, "grouped": n, "null_ids":
        {id: n}}`; a label that has only a teacher's probability counts in `labels`, too. An id
        counts in `null_ids` if it is one of `NULL_MARKERS`.
    """
    ids = documents.column("document_id")
    grouped = documents.num_rows - documents.column("group").null_count
    counts: dict[str, Any] = {
        "documents": {},
        "labels": {},
        "grouped": grouped,
        "null_ids": count_values(ids.filter(pc.is_in(ids, value_set=_MARKERS))),
    }
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
        ConfigError: if the training split has no document, fewer than two labels or more than
            `MAX_LABELS`, or if several
            of its documents have a label that `labels.txt` cannot hold, because it has a line end.
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
    of_train = counts["labels"]["train"]
    broken = sorted(label for label, count in of_train.items() if "\n" in label and count > 1)
    if broken:
        raise ConfigError(
            f"{where}: expected labels without a line end, because labels.txt has one on each "
            f"line, got {shortened(repr(broken[0]))} ({of_train[broken[0]]:,} documents). "
            "Write that label on one line in the corpus."
        )
    # A single document with such a label is rejected, not a class of the corpus.
    labels = tuple(sorted(label for label in of_train if "\n" not in label))
    if len(labels) > MAX_LABELS:
        raise ConfigError(
            f"{where}: expected at most {MAX_LABELS:,} labels in the training split, got "
            f"{len(labels):,}. Check corpus.columns.label: is it a column of ids or of text?"
        )
    if len(labels) < 2:
        got = f"only {shortened(labels[0])!r}" if labels else "none"
        raise ConfigError(
            f"{where}: expected at least 2 labels in the training split, got {got}. "
            "Check corpus.columns.label. If the corpus has only probabilities, they must be given "
            "by label name."
        )
    return labels


def find_label_notes(labels: Mapping[str, int], null_ids: Mapping[str, int]) -> Iterator[str]:
    """Sentences on labels and ids that look like mistakes, each with what to do.

    Args:
        labels: documents by label.
        null_ids: as `count_labels` counts them.
    """
    variants = find_variants(labels)
    if variants:
        groups = "; ".join(
            ", ".join(_shown(label, labels) for label in group) for group in variants[:_SHOWN]
        )
        more = len(variants) - _SHOWN
        yield (
            f"{sum(map(len, variants))} labels differ from one another only in case, blanks or "
            f"Unicode form, and each is a class of its own: {groups}"
            f"{f'; and {more:,} more groups' if more > 0 else ''}. Write each class in one way in "
            "the corpus."
        )
    markers = [label for label in NULL_MARKERS if label in labels]
    if markers:
        shown = ", ".join(_shown(label, labels) for label in markers[:_SHOWN])
        yield (
            f"Labels that look like no value are classes: {shown}. If they are none, write into "
            f"the input: null_values: {_yaml_list(markers[:_SHOWN])}."
        )
    if null_ids:
        shown = ", ".join(_shown(marker, null_ids) for marker in sorted(null_ids))
        yield (
            f"Ids look like no value: {shown}. If they are none, write into the input: "
            f"null_values: {_yaml_list(sorted(null_ids))}."
        )


def find_variants(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that are equal but for case, blanks, Unicode form or invisible characters.

    >>> find_variants(["Sports", "news", "sports", "SPORTS"])
    [['SPORTS', 'Sports', 'sports']]
    """
    groups = defaultdict(list)
    for label in sorted(labels):
        groups[_form(label)].append(label)
    return [group for _, group in sorted(groups.items()) if len(group) > 1]


def _form(label: str) -> str:
    """The label in the form in which variants of one label are equal."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    visible = "".join(each for each in folded if unicodedata.category(each) != "Cf")
    return " ".join(visible.split())


def _shown(label: str, counts: Mapping[str, int]) -> str:
    """A label with its count; a decomposed or invisible character is shown as its code point."""
    plain = unicodedata.is_normalized("NFKC", label) and label.isprintable()
    name = f"'{shortened(label)}'" if plain else shortened(ascii(label))
    return f"{name} ({counts[label]:,})"


def _yaml_list(markers: list[str]) -> str:
    quoted = ", ".join("'" + each + "'" for each in markers)
    return f"[{quoted}]"
