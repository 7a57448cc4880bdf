"""The input columns that a config names, and the check that a file has the required ones.

Each command reads only the columns that it needs, so that no row is rejected for another one.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from model.config import ConfigError
from pipeline.config.inputs import UNLABELED
from pipeline.config.sections import ColumnsConfig, CorpusConfig

_SHOWN = 60  # characters of a name
_COLUMNS_SHOWN = 5  # in a note

# What becomes of a document without a value in the column of a field that others have.
MISSING_VALUES = {
    "id": "they are named by their file and row",
    "split": "their splits are drawn, with the shares of corpus.splits",
    "weight": "they have the weight 1",
    "group": "their splits, where none is given, are drawn by the text",
}


class MissingColumnError(ConfigError):
    """A file lacks a column that every document needs; `found` are the columns that it has."""

    def __init__(self, message: str, found: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.found = tuple(found)


def input_columns(columns: ColumnsConfig) -> tuple[str, ...]:
    """The names of all input columns that are read, each once."""
    names = [
        columns.text,
        columns.id,
        columns.label,
        columns.labels,
        columns.probabilities,
        columns.weight,
        columns.rationale,
        columns.split,
        columns.group,
        *columns.keep,
    ]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def named_columns(columns: ColumnsConfig, *, split: str | None) -> Iterator[tuple[str, str]]:
    """The fields whose column a config names because the corpus has it, each with the column.

    Text and label have a column by default.

    Args:
        columns: the columns that the config names.
        split: of the input. Its rows need no column of the split then, and those that are
            unlabeled need none of labels either.
    """
    fields = ["id"] if split is not None else ["id", "split"]
    if split != UNLABELED:
        fields += ["labels", "probabilities", "weight", "rationale"]
    if split is None:
        fields.append("group")
    for field in fields:
        name = getattr(columns, field)
        if name is not None:
            yield field, name
    for name in columns.keep:
        yield "keep", name


def columns_of_no_row(counts: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """The columns that the config names and no document has: field, column, documents.

    Args:
        counts: of a run; `columns` holds for each field and column how many documents have it.
    """
    for field, columns in counts.get("columns", {}).items():
        for name, counted in columns.items():
            if counted["documents"] and not counted["found"]:
                yield field, name, counted["documents"]


def find_column_notes(counts: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on columns and values that documents lack, and on ids that repeat.

    Args:
        counts: as `columns_of_no_row` takes them, and `values`, which counts for each field of
            `MISSING_VALUES` the documents without a value, and `repeated_ids`.
    """
    missing: dict[str, dict[str, int]] = {}
    for field, name, documents in columns_of_no_row(counts):
        missing.setdefault(field, {})[name] = documents
    for field, columns in missing.items():
        names = list(map(repr, columns))
        one, more = len(names) == 1, len(names) - _COLUMNS_SHOWN
        shown = ", ".join(names[:_COLUMNS_SHOWN]) + f" and {more:,} more" * (more > 0)
        yield (
            f"corpus.columns.{field}: expected the column{'' if one else 's'} {shown}, got none in "
            f"{max(columns.values()):,} documents. Name the right one{'' if one else 's'}, or "
            f"leave {'it' if one else 'them'} out."
        )
    for field, counted in counts.get("values", {}).items():
        if counted["missing"] and field not in missing:
            names = list(map(repr, counts["columns"][field]))  # formats may have one of their own
            yield (
                f"{counted['missing']:,} of {counted['documents']:,} documents have no {field} in "
                f"the column {' or '.join(names)}: {MISSING_VALUES[field]}."
            )
    repeated = counts.get("repeated_ids", 0)
    if repeated:
        yield (
            f"At least {repeated:,} documents have the id of an earlier one, so that document_id "
            "does not tell them apart. Files are compared where one worker reads them together."
        )


def columns_of_names(columns: ColumnsConfig) -> tuple[str, ...]:
    """The input columns in which every digit of a number counts: ids, labels and kept values."""
    names = [columns.id, columns.label, columns.labels, columns.group, *columns.keep]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def corpus_to_score(corpus: CorpusConfig) -> CorpusConfig:
    """The corpus with the columns that scoring reads: text, id and kept columns."""
    columns = dataclasses.replace(
        ColumnsConfig(label=None),
        text=corpus.columns.text,
        id=corpus.columns.id,
        keep=corpus.columns.keep,
    )
    return dataclasses.replace(
        corpus, columns=columns, splits=dataclasses.replace(corpus.splits, stratify=False)
    )


def corpus_to_evaluate(corpus: CorpusConfig, *, heads: Collection[str]) -> CorpusConfig:
    """The corpus with the columns of `corpus_to_score` and those of the true labels.

    Args:
        corpus: the corpus.
        heads: `network.head` of the models; that of a multi-label model needs `labels`.
    """
    scored = corpus_to_score(corpus)
    label = corpus.columns.label if {*heads} - {"multilabel"} else None
    labels = corpus.columns.labels if "multilabel" in heads else None
    columns = dataclasses.replace(scored.columns, label=label, labels=labels)
    return dataclasses.replace(scored, columns=columns)


def corpus_to_prepare(corpus: CorpusConfig) -> CorpusConfig:
    """The corpus with the columns that prepare reads: without `label` where there are `labels`."""
    if corpus.columns.labels is None:
        return corpus
    return dataclasses.replace(corpus, columns=dataclasses.replace(corpus.columns, label=None))


def corpus_of_texts(corpus: CorpusConfig) -> CorpusConfig:
    """The corpus with the column of the text alone."""
    columns = ColumnsConfig(text=corpus.columns.text, label=None)
    return dataclasses.replace(corpus_to_score(corpus), columns=columns)


def kept_alone(columns: ColumnsConfig) -> tuple[str, ...]:
    """The kept input columns that hold no other field."""
    others = input_columns(dataclasses.replace(columns, keep=()))
    return tuple(name for name in columns.keep if name not in others)


def kept_fields(columns: ColumnsConfig) -> list[pa.Field]:
    """The fields of the kept input columns.

    All are strings, so that every file gives the same schema. A value that is not a string is
    written as JSON (12, true, ["a"]). If JSON has no type for it (a date, for example), it is
    written as `str` returns it. Numbers keep their digits, and NaN is null.
    """
    return [pa.field(name, pa.string()) for name in columns.kept_names]


def require_columns(
    path: str, columns: ColumnsConfig, present: Sequence[str], *, hint: str = ""
) -> None:
    """Checks that a file has the columns that every document needs: text, id, kept columns.

    Only training needs the other columns. A file to be scored may lack them; their fields
    are null then.

    Args:
        path: the file, for messages.
        columns: the columns that the config names.
        present: the columns that the file has.
        hint: what else may be wrong if a column is missing: a sentence after a blank, or nothing.

    Raises:
        MissingColumnError: if the file lacks such a column.
        ConfigError: if it has an input column more than once.
    """
    for name in (columns.text, columns.id, *columns.keep):
        if name is not None and name not in present:
            names = ", ".join(map(_shown, present)) or "none"
            raise MissingColumnError(
                f"{path}: expected a column {name!r}, got {names}. "
                f"Name the right one under corpus.columns.{hint}",
                present,
            )
    for name in input_columns(columns):
        if present.count(name) > 1:
            raise ConfigError(
                f"{path}: expected one column {name!r}, got {present.count(name)}. "
                "Rename all but one."
            )


def _shown(name: str) -> str:
    """The name in a message. The first row of a file without a header may be a long text."""
    return repr(name if len(name) <= _SHOWN else f"{name[: _SHOWN - 3]}...")
