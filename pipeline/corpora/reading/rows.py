"""Rows as a format gives them -> documents and rejections: the checks of a row.

A bad row costs itself alone: it becomes a rejection with a reason and a detail,
and the rest of its batch goes on. Duplicate ids and unknown labels need more
than one batch to be seen; they are decided elsewhere.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa

from model.config import ConfigError
from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.values import (
    Failure,
    RowError,
    describe,
    group_value,
    id_value,
    kept_value,
    label_value,
    labels_value,
    rationale_value,
    split_value,
    text_value,
    weight_value,
)
from pipeline.schemas import RAW_BYTES, REJECTIONS, documents_schema


@dataclasses.dataclass(frozen=True, kw_only=True)
class RawRows:
    """Consecutive rows of a file as their format gives them, not yet checked.

    Attributes:
        size: the number of rows.
        columns: the values of each input column, one a row; a column that is
            absent is null in every row.
        raw: the bytes of the row with this index, or at least the first of them.
        failures: the rows, by index, that have no values worth checking.
        repaired: the rows, by index, in which U+FFFD stands for what could not be
            decoded.
    """

    size: int
    columns: Mapping[str, Sequence[Any]]
    raw: Callable[[int], bytes]
    failures: Mapping[int, Failure] = dataclasses.field(default_factory=dict)
    repaired: frozenset[int] = frozenset()

    def head(self, size: int) -> Self:
        """The first `size` rows."""
        return dataclasses.replace(
            self,
            size=min(size, self.size),
            columns={name: values[:size] for name, values in self.columns.items()},
            failures={index: each for index, each in self.failures.items() if index < size},
            repaired=frozenset(index for index in self.repaired if index < size),
        )


@dataclasses.dataclass(frozen=True)
class ReadBatch:
    """What some consecutive rows of a file became.

    Attributes:
        documents: schema `documents_schema(kept_fields(columns))`.
        rejections: schema `REJECTIONS`.
        rows_read: always `documents.num_rows + rejections.num_rows`.
        rows_repaired: documents in which U+FFFD stands for what could not be
            decoded: an escaped lone surrogate, or bytes under `errors: replace`.
    """

    documents: pa.RecordBatch
    rejections: pa.RecordBatch
    rows_read: int
    rows_repaired: int = 0


def mapping_rows(
    values: Sequence[Mapping[str, Any]],
    *,
    columns: ColumnsConfig,
    raw: Callable[[int], bytes],
    failures: Mapping[int, Failure] | None = None,
    repaired: frozenset[int] = frozenset(),
) -> RawRows:
    """Rows that each have their own keys: JSON objects, examples, rows of a query.

    A row without the text's key fails as `missing_column`; any other key that is
    absent is null.

    Args:
        values: one mapping a row; of a failed row it is not looked at.
        columns: which key plays which part.
        raw: see `RawRows`.
        failures: see `RawRows`.
        repaired: see `RawRows`.
    """
    failures = dict(failures or {})
    for index, value in enumerate(values):
        if columns.text not in value and index not in failures:
            keys = describe(list(value))
            failures[index] = Failure(
                "missing_column", f"expected a column {columns.text!r}, got {keys}"
            )
    return RawRows(
        size=len(values),
        columns={name: [value.get(name) for value in values] for name in input_columns(columns)},
        raw=raw,
        failures=failures,
        repaired=repaired,
    )


def kept_fields(columns: ColumnsConfig) -> list[pa.Field]:
    """The fields of the kept input columns: strings, so that every file agrees.

    A value that is not a string is carried as JSON (12, true, ["a"]), or, where
    JSON has no such type (a date), as it is printed.
    """
    return [pa.field(name, pa.string()) for name in columns.keep]


def input_columns(columns: ColumnsConfig) -> tuple[str, ...]:
    """The names of all input columns that play a part, each once."""
    names = [
        columns.text,
        columns.id,
        columns.label,
        columns.labels,
        columns.weight,
        columns.rationale,
        columns.split,
        columns.group,
        *columns.keep,
    ]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def require_columns(path: str, columns: ColumnsConfig, present: Sequence[str]) -> None:
    """Checks that a file whose columns are known has those a document cannot do without.

    Those are the text, the id and the kept columns. The others serve training
    alone, and a file to be scored may lack them: they are null then.

    Raises:
        ConfigError: for a missing column, and for one that is there twice.
    """
    for name in (columns.text, columns.id, *columns.keep):
        if name is not None and name not in present:
            names = ", ".join(map(repr, present)) or "none"
            raise ConfigError(
                f"{path}: expected a column {name!r}, got {names}. "
                "Name the right one under corpus.columns."
            )
    for name in input_columns(columns):
        if present.count(name) > 1:
            raise ConfigError(
                f"{path}: expected one column {name!r}, got {present.count(name)}. "
                "Rename all but one."
            )


def check_rows(
    rows: RawRows,
    *,
    source_file: str,
    first_row: int,
    columns: ColumnsConfig,
    split: str | None,
    max_text_bytes: int,
) -> ReadBatch:
    """Turns rows into a batch of documents and one of rejections.

    Args:
        rows: the rows; each ends up in exactly one of the batches, in order.
        source_file: the file's name.
        first_row: the number of the first of the rows in the file.
        columns: which column plays which part.
        split: the split of documents whose row does not say.
        max_text_bytes: the most bytes of UTF-8 that a text may have.
    """

    def text_of(value: Any) -> str:
        return text_value(value, columns.text, max_text_bytes)

    def split_of(value: Any) -> str | None:
        return split_value(value, columns.split) or split

    failures = dict(rows.failures)
    texts = _convert(rows, columns.text, text_of, failures)
    ids = _convert(rows, columns.id, id_value, failures)
    fields: dict[str, list[Any] | None] = {
        "text": texts,
        "label": _convert(rows, columns.label, label_value, failures),
        "labels": _convert(rows, columns.labels, labels_value, failures),
        "weight": _convert(rows, columns.weight, weight_value, failures),
        "rationale": _convert_rationales(rows, columns.rationale, texts, failures),
        "split": _convert(rows, columns.split, split_of, failures),
        "group": _convert(rows, columns.group, group_value, failures),
    }
    for name in columns.keep:
        fields[name] = _convert(rows, name, kept_value, failures)
    numbers = range(first_row, first_row + rows.size)
    if ids is None:
        ids = [f"{source_file}#{number}" for number in numbers]
    else:
        ids = [
            f"{source_file}#{number}" if given is None else given
            for given, number in zip(ids, numbers, strict=True)
        ]
    fields["document_id"] = ids
    if fields["split"] is None and split is not None:
        fields["split"] = [split] * rows.size

    used = [index for index in range(rows.size) if index not in failures]
    rejected = sorted(failures)
    return ReadBatch(
        documents=_documents(
            fields, used, kept=kept_fields(columns), first_row=first_row, source_file=source_file
        ),
        rejections=_rejections(
            rows, failures, rejected, ids=ids, first_row=first_row, source_file=source_file
        ),
        rows_read=rows.size,
        rows_repaired=len(rows.repaired.difference(failures)),
    )


def _convert(
    rows: RawRows,
    name: str | None,
    convert: Callable[[Any], Any],
    failures: dict[int, Failure],
) -> list[Any] | None:
    """The converted values of a column, None where it is absent.

    A value that does not convert becomes the failure of its row, unless the row
    has one already.
    """
    if name is None or name not in rows.columns:
        return None
    converted = []
    for index, value in enumerate(rows.columns[name]):
        try:
            converted.append(convert(value))
        except RowError as error:
            converted.append(None)
            failures.setdefault(index, error.failure)
    return converted


def _convert_rationales(
    rows: RawRows, name: str | None, texts: list[Any] | None, failures: dict[int, Failure]
) -> list[Any] | None:
    if name is None or name not in rows.columns or texts is None:
        return None
    spans: list[Any] = []
    for index, (value, text) in enumerate(zip(rows.columns[name], texts, strict=True)):
        try:
            spans.append(None if text is None else rationale_value(value, text))
        except RowError as error:
            spans.append(None)
            failures.setdefault(index, error.failure)
    return spans


def _documents(
    fields: Mapping[str, list[Any] | None],
    used: list[int],
    *,
    kept: list[pa.Field],
    first_row: int,
    source_file: str,
) -> pa.RecordBatch:
    schema = documents_schema(kept)
    arrays = []
    for field in schema:
        if field.name == "source_file":
            arrays.append(pa.repeat(pa.scalar(source_file, pa.string()), len(used)))
        elif field.name == "source_row":
            arrays.append(pa.array(np.asarray(used, dtype=np.int64) + first_row))
        else:
            values = fields.get(field.name)
            if values is None:
                arrays.append(pa.nulls(len(used), field.type))
            else:
                chosen = values if len(used) == len(values) else [values[i] for i in used]
                arrays.append(pa.array(chosen, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _rejections(
    rows: RawRows,
    failures: Mapping[int, Failure],
    rejected: list[int],
    *,
    ids: list[str],
    first_row: int,
    source_file: str,
) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "document_id": [ids[index] for index in rejected],
            "source_file": [source_file] * len(rejected),
            "source_row": [first_row + index for index in rejected],
            "reason": [failures[index].reason for index in rejected],
            "detail": [failures[index].detail for index in rejected],
            "raw": [rows.raw(index)[:RAW_BYTES] for index in rejected],
        },
        schema=REJECTIONS,
    )
