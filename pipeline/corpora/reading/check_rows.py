"""Raw rows of any format -> documents and rejections: the checks of every row.

A bad row becomes a rejection with a reason and a detail; the other rows of its batch are
used. Later steps (`pipeline.corpora.preparing`) find unknown labels and duplicate ids, because
that takes the whole corpus, not one batch.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config.inputs import UNLABELED
from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import MISSING_VALUES, kept_fields, named_columns
from pipeline.corpora.reading.failures import Failure, RowError
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.rejections import reject_rows
from pipeline.corpora.reading.values import (
    group_value,
    id_value,
    kept_value,
    label_value,
    labels_value,
    rationale_value,
    soft_labels_value,
    split_value,
    text_value,
    untyped_label_value,
    weight_value,
)
from pipeline.schemas import documents_schema


@dataclasses.dataclass(frozen=True)
class ReadBatch:
    """The documents and rejections made from some consecutive rows of a file.

    Attributes:
        documents: schema `documents_schema(kept_fields(columns))`.
        rejections: schema `REJECTIONS`.
        rows_read: always `documents.num_rows + rejections.num_rows`.
        rows_repaired: how many documents hold U+FFFD in place of something that could not be
            decoded: the escape of a lone surrogate, or bytes under `errors: replace`.
        headers_skipped: how many lines among the rows repeat the header; they are no rows.
        columns: as `_count_columns` counts which documents have the columns that the config names.
    """

    documents: pa.RecordBatch
    rejections: pa.RecordBatch
    rows_read: int
    rows_repaired: int = 0
    headers_skipped: int = 0
    columns: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def check_rows(
    rows: RawRows,
    *,
    source_file: str,
    first_row: int,
    columns: ColumnsConfig,
    split: str | None,
    max_text_bytes: int,
    null_values: Collection[str] = (),
) -> ReadBatch:
    """Makes each row a document or a rejection.

    Args:
        rows: the rows; documents and rejections keep their order.
        source_file: the name of the file.
        first_row: the number in the file of the first of `rows`.
        columns: which column holds which field.
        split: the split of the documents whose row does not give one.
        max_text_bytes: the largest size of a text, in bytes of UTF-8.
        null_values: the strings that stand for no value.
    """
    if null_values:
        rows = _without_markers(rows, {*null_values})
    failures = dict(rows.failures)
    fields = _convert_rows(
        rows, columns=columns, split=split, max_text_bytes=max_text_bytes, failures=failures
    )
    used = [index for index in range(rows.size) if index not in failures]
    counted = _count_columns(rows, used, fields, columns=columns, split=split)
    ids = fields["document_id"] or [None] * rows.size
    fields["document_id"] = ids = [
        f"{source_file}#{number}" if given is None else given
        for number, given in enumerate(ids, first_row)
    ]
    return ReadBatch(
        documents=_documents(
            fields,
            used,
            kept=kept_fields(columns),
            source_file=source_file,
            first_row=first_row,
        ),
        rejections=reject_rows(
            rows, failures, ids=ids, source_file=source_file, first_row=first_row
        ),
        rows_read=rows.size,
        rows_repaired=len(rows.repaired.difference(failures)),
        headers_skipped=rows.headers_skipped,
        columns=counted,
    )


def _count_columns(
    rows: RawRows,
    used: Sequence[int],
    fields: Mapping[str, Sequence[Any] | None],
    *,
    columns: ColumnsConfig,
    split: str | None,
) -> dict[str, Any]:
    """Which of the rows `used` have the columns that only a config names; `{}` if it names none.

    Returns:
        `{"columns": {field: {column: {"documents": n, "found": n}}},
        "values": {field: {"documents": n, "missing": n}}}`; `values` has the fields of
        `MISSING_VALUES` alone.
    """
    counted: dict[str, Any] = {}
    if not used:
        return counted
    for field, name in named_columns(columns, split=split):
        absent = rows.absent.get(name, ())
        there = sum(index not in absent for index in used) if name in rows.columns else 0
        found = {"documents": len(used), "found": there}
        counted.setdefault("columns", {}).setdefault(field, {})[name] = found
        if field in MISSING_VALUES:
            values = fields["document_id" if field == "id" else field]
            missing = len(used) if values is None else sum(values[row] is None for row in used)
            counted.setdefault("values", {})[field] = {"documents": len(used), "missing": missing}
    return counted


def _convert_rows(
    rows: RawRows,
    *,
    columns: ColumnsConfig,
    split: str | None,
    max_text_bytes: int,
    failures: dict[int, Failure],
) -> dict[str, list[Any] | None]:
    """The values of every field, None for an absent column. Adds rows that fail to `failures`."""

    def text_of(value: Any) -> str:
        return text_value(value, columns.text, max_text_bytes)

    def split_of(value: Any) -> str | None:
        return split_value(value, columns.split) or split

    label_of = untyped_label_value if rows.untyped else label_value

    def soft_labels_of(value: Any) -> list[dict[str, Any]] | None:
        return soft_labels_value(value, label_of)

    refused_splits: dict[int, Failure] = {}
    splits = _convert(rows, columns.split, split_of, refused_splits)
    if splits is None and split is not None:
        splits = [split] * rows.size
    labels = _without_labels(rows, columns, splits or ())
    # Only the first failure of a row is reported, so the order of these calls matters.
    texts = _convert(rows, columns.text, text_of, failures)
    fields = {
        "text": texts,
        "document_id": _convert(rows, columns.id, id_value, failures),
        "label": _convert(labels, columns.label, label_of, failures),
        "labels": _convert(labels, columns.labels, labels_value, failures),
        "soft_labels": _convert(rows, columns.probabilities, soft_labels_of, failures),
        "weight": _convert(rows, columns.weight, weight_value, failures),
        "rationale": _convert_rationales(rows, columns.rationale, texts, failures),
        "split": splits,
        "group": _convert(rows, columns.group, group_value, failures),
    }
    for name in columns.keep:
        fields[columns.written_name(name)] = _convert(rows, name, kept_value, failures)
    for index, failure in refused_splits.items():
        failures.setdefault(index, failure)
    return fields


def _without_markers(rows: RawRows, markers: set[str]) -> RawRows:
    """The rows with null in place of the strings that stand for no value."""
    columns = {
        name: [
            None if type(value) is str and value.strip() in markers else value for value in values
        ]
        for name, values in rows.columns.items()
    }
    return dataclasses.replace(rows, columns=columns)


def _without_labels(rows: RawRows, columns: ColumnsConfig, splits: Sequence[Any]) -> RawRows:
    """The rows with null as label in the split that needs none, whatever its rows have there."""
    if UNLABELED not in splits:
        return rows
    labels = {
        name: [
            None if split == UNLABELED else value
            for value, split in zip(rows.columns[name], splits, strict=True)
        ]
        for name in (columns.label, columns.labels)
        if name in rows.columns and name is not None
    }
    return dataclasses.replace(rows, columns={**rows.columns, **labels})


def _convert(
    rows: RawRows,
    name: str | None,
    convert: Callable[[Any], Any],
    failures: dict[int, Failure],
) -> list[Any] | None:
    """The converted values of a column; None for an absent column.

    A value that cannot be converted is added to `failures`, unless its row has failed already.
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
    source_file: str,
    first_row: int,
) -> pa.RecordBatch:
    """The batch of the rows with the indexes `used`."""
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
