"""The value in a column of a row -> the value of a field of the document.

Each function takes a value of any type that a format module returns (a JSON value, a Python value
of Arrow, a string of CSV) and returns the value of the field, or None for no value. If the row
must be rejected for the value, it raises `RowError`. README has the same policy as a table, "What
becomes of a value", and a test compares the two cell by cell.
"""

import datetime
import math
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from pipeline.corpora.reading.failures import RowError, describe
from pipeline.corpora.reading.numerals.digits import (
    fraction_text,
    integer_text,
    is_finite,
    is_nan,
    parse_json,
)
from pipeline.corpora.reading.numerals.json_text import json_text, scalar_text
from pipeline.process.numerals import parse_numeral

_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
    "unlabeled": "unlabeled",
    "unlabelled": "unlabeled",
    "unsup": "unlabeled",
}
_MAX_FLOAT32 = float(np.finfo(np.float32).max)
_UTF8_BYTES = 4  # the most bytes of one character
_INTEGRAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.0+")


def text_value(value: Any, name: str, max_bytes: int) -> str:
    """The text of a document, checked for blanks and size; `name` is the column."""
    if type(value) is not str:
        if value is None or is_nan(value):
            raise RowError("empty_text", f"expected text in {name!r}, got {describe(value)}")
        raise RowError("malformed_row", f"expected a string in {name!r}, got {describe(value)}")
    if not value or value.isspace():
        raise RowError("empty_text", f"expected text in {name!r}, got {describe(value)}")
    if len(value) * _UTF8_BYTES > max_bytes and (size := len(value.encode())) > max_bytes:
        raise RowError(
            "text_too_large", f"expected at most {max_bytes} bytes in {name!r}, got {size}"
        )
    return value


def id_value(value: Any) -> str | None:
    """An id as a string; None for no value and for a blank string.

    A number that is an integer gives its digits, also as a float or a decimal; another finite
    number gives its text.
    """
    if type(value) is str:
        return value if value and not value.isspace() else None
    text = None if type(value) is bool else _name(value)
    if text is None and not _is_missing(value):
        raise RowError(
            "malformed_row", f"expected a string or a number as id, got {describe(value)}"
        )
    return text


def group_value(value: Any) -> str | None:
    """The name of a group as a string, as `id_value` gives it; also of a boolean."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    text = _name(value)
    if text is None and not _is_missing(value):
        raise RowError(
            "malformed_row",
            f"expected a string, a number or a boolean as group, got {describe(value)}",
        )
    return text


def label_value(value: Any) -> str | None:
    """A label without the blanks around it; None for no value and for a blank string.

    A number that is an integer gives its digits, also as a float or a decimal. A fraction is no
    name of a class and rejects the row.
    """
    if type(value) is str:
        return value.strip() or None
    fraction = isinstance(value, float | Decimal) and is_finite(value) and not integer_text(value)
    text = None if fraction else _name(value)
    if text is None and not _is_missing(value):
        raise RowError(
            "malformed_row",
            f"expected a string, an integer or a boolean as label, got {describe(value)}"
            f"{', a number with a fraction, which names no class' if fraction else ''}",
        )
    return text


def untyped_label_value(value: Any) -> str | None:
    """A label of a format that has no numbers, only text: `1.0` is the integer that it is.

    pandas writes a column of integers in which one is missing as floats. Ids stay as written.
    """
    label = label_value(value)
    return label if label is None or not _INTEGRAL.fullmatch(label) else label.partition(".")[0]


def _name(value: Any) -> str | None:
    """The name that a value gives to an id, a group or a class; None if it cannot give one."""
    if type(value) is bool:
        return scalar_text(value)
    if isinstance(value, int | float | Decimal):
        if not is_finite(value):
            return None
        return integer_text(value) or fraction_text(value)
    if isinstance(value, uuid.UUID | datetime.date | datetime.time):
        return str(value)
    return None


def _is_nothing(value: Any) -> bool:
    """Whether a value is null, NaN, or a string that is empty or blank."""
    if type(value) is str:
        return not value or value.isspace()
    return value is None or is_nan(value)


def _is_missing(value: Any) -> bool:
    """Whether a value stands for no value: null, NaN, and an infinite number."""
    return value is None or (isinstance(value, float | Decimal) and not is_finite(value))


def _from_json(value: Any) -> Any:
    """The value that a string holds as JSON, None if it holds none; another value as it is."""
    if type(value) is not str:
        return value
    try:
        parsed = parse_json(value)
        json_text(parsed).encode()  # a lone surrogate cannot be encoded, so no field can hold it
    except (ValueError, RecursionError):
        return None
    return parsed


def labels_value(value: Any) -> list[str] | None:
    """A list of labels. A string must hold a JSON list, because CSV has no lists.

    Labels in a string are as in JSON lines: `["1.0"]` is the text, `[1.0]` the integer.
    """
    if _is_nothing(value):
        return None
    given = _from_json(value)
    if not isinstance(given, list):
        raise RowError("malformed_row", f"expected a list of labels, got {describe(value)}")
    labels = [label_value(each) for each in given]
    if None in labels:
        raise RowError("malformed_row", f"expected no blank labels, got {describe(value)}")
    return [label for label in labels if label is not None]


def soft_labels_value(
    value: Any, label_of: Callable[[Any], str | None] = label_value
) -> list[dict[str, Any]] | None:
    """The probabilities that a teacher gives to labels, as the schema `SOFT_LABELS` has them.

    Args:
        value: an object of label names and probabilities, or a list of probabilities. A string must
            hold one of them as JSON, because CSV has neither.
        label_of: makes a label of a name.
    """
    if _is_nothing(value):
        return None
    given = _from_json(value)
    pairs = _label_probabilities(given, label_of)
    numbers = [number for _, number in pairs]
    if any(type(number) not in (int, float, Decimal) or not 0 <= number <= 1 for number in numbers):
        raise RowError(
            "malformed_row",
            "expected a list of probabilities from 0 to 1, or an object of them by label, "
            f"got {describe(value)}",
        )
    return [{"label": label, "probability": float(number)} for label, number in pairs]


def _label_probabilities(
    given: Any, label_of: Callable[[Any], str | None]
) -> list[tuple[str | None, Any]]:
    """Pairs of label and probability; what is no such thing gives a pair without a number."""
    if isinstance(given, dict):
        # A Parquet column of structs has a null for each label that a row does not name.
        return [
            (label_of(label) or "", number) for label, number in given.items() if number is not None
        ]
    if isinstance(given, list) and given:
        # Arrow gives the entries of a map as tuples.
        return [
            (label_of(each[0]), each[1]) if isinstance(each, tuple) else (None, each)
            for each in given
        ]
    return [(None, None)]


def weight_value(value: Any) -> float | None:
    """A weight: a number >= 0 that float32 can hold, or a string with such a number."""
    if _is_nothing(value):
        return None
    try:
        if type(value) is str:
            number = parse_numeral(value)
        else:
            number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= _MAX_FLOAT32:
        raise RowError("malformed_row", f"expected a weight >= 0, got {describe(value)}")
    return number


def rationale_value(value: Any, text: str) -> list[dict[str, int]] | None:
    """The character spans that annotators marked.

    Args:
        value: a list of `{start, end}` or of `[start, end]`, or a string: its first occurrence
            in the text is the span.
        text: the text of the document.
    """
    if _is_nothing(value):
        return None
    if type(value) is str:
        start = text.find(value)
        if start < 0:
            raise RowError(
                "malformed_row", f"expected a part of the text as rationale, got {describe(value)}"
            )
        return [{"start": start, "end": start + len(value)}]
    if not isinstance(value, list):
        raise RowError(
            "malformed_row",
            f"expected a list of spans or a part of the text as rationale, got {describe(value)}",
        )
    return [_span(each, len(text)) for each in value]


def _span(value: Any, length: int) -> dict[str, int]:
    bounds = [value.get("start"), value.get("end")] if isinstance(value, dict) else value
    if (
        not isinstance(bounds, list)
        or len(bounds) != 2
        or any(type(bound) is not int for bound in bounds)
        or not 0 <= bounds[0] < bounds[1] <= length
    ):
        raise RowError(
            "malformed_row",
            f"expected a span 0 <= start < end <= {length} as rationale, got {describe(value)}",
        )
    return {"start": bounds[0], "end": bounds[1]}


def split_value(value: Any, name: str | None) -> str | None:
    """The split that a usual name such as `val` or `dev` means; `name` is the column."""
    if _is_nothing(value):
        return None
    split = _SPLITS.get(value.strip().lower()) if isinstance(value, str) else None
    if split is None:
        raise RowError(
            "malformed_row",
            f"expected train, validation, test or unlabeled in {name!r}, got {describe(value)}",
        )
    return split


def kept_value(value: Any) -> str | None:
    """The value of a kept column as a string; see `kept_fields` for other types."""
    if value is None or type(value) is str:
        return value
    if not isinstance(value, list | tuple | dict):
        return None if is_nan(value) else scalar_text(value)
    try:
        return json_text(value)
    except RecursionError:
        raise RowError(
            "malformed_row", f"expected less deeply nested values, got {describe(value)}"
        ) from None
