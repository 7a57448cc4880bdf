"""The value in a column of a row -> the value of a field of the document.

Each function takes a value of any type that a format module returns (a JSON value, a Python value
of Arrow, a string of CSV) and returns the value of the field, or None for no value. If the row
must be rejected for the value, it raises `RowError`.
"""

import json
import math
from typing import Any

import numpy as np
import orjson

from pipeline.corpora.reading.failures import RowError, describe

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


def text_value(value: Any, name: str, max_bytes: int) -> str:
    """The text of a document, checked for blanks and size; `name` is the column."""
    if type(value) is not str:
        if value is None:
            raise RowError("empty_text", f"expected text in {name!r}, got null")
        raise RowError("malformed_row", f"expected a string in {name!r}, got {describe(value)}")
    if not value or value.isspace():
        raise RowError("empty_text", f"expected text in {name!r}, got {describe(value)}")
    if len(value) * _UTF8_BYTES > max_bytes and (size := len(value.encode())) > max_bytes:
        raise RowError(
            "text_too_large", f"expected at most {max_bytes} bytes in {name!r}, got {size}"
        )
    return value


def id_value(value: Any) -> str | None:
    """An id as a string; None for null and for a blank string."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    if value is None or type(value) is int:
        return None if value is None else str(value)
    raise RowError("malformed_row", f"expected a string or an integer as id, got {describe(value)}")


def group_value(value: Any) -> str | None:
    """The name of a group as a string; None for null and for a blank string."""
    try:
        return label_value(value)
    except RowError:
        raise RowError(
            "malformed_row",
            f"expected a string, an integer or a boolean as group, got {describe(value)}",
        ) from None


def label_value(value: Any) -> str | None:
    """A label; None for null and for a blank string. An integer or boolean becomes a string."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    if value is None:
        return None
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    raise RowError(
        "malformed_row",
        f"expected a string, an integer or a boolean as label, got {describe(value)}",
    )


def _from_json(value: Any) -> Any:
    """The value that a string holds as JSON, None if it holds none; another value as it is."""
    if type(value) is not str:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def labels_value(value: Any) -> list[str] | None:
    """A list of labels. A string must hold a JSON list, because CSV has no lists."""
    if value is None or value == "":
        return None
    given = _from_json(value)
    if not isinstance(given, list):
        raise RowError("malformed_row", f"expected a list of labels, got {describe(value)}")
    labels = [label_value(each) for each in given]
    if None in labels:
        raise RowError("malformed_row", f"expected no blank labels, got {describe(value)}")
    return [label for label in labels if label is not None]


def soft_labels_value(value: Any) -> list[dict[str, Any]] | None:
    """The probabilities that a teacher gives to labels, as the schema `SOFT_LABELS` has them.

    Args:
        value: an object of label names and probabilities, or a list of probabilities. A string must
            hold one of them as JSON, because CSV has neither.
    """
    if value is None or value == "":
        return None
    given = _from_json(value)
    pairs = _label_probabilities(given)
    numbers = [number for _, number in pairs]
    if any(type(number) not in (int, float) or not 0 <= number <= 1 for number in numbers):
        raise RowError(
            "malformed_row",
            "expected a list of probabilities from 0 to 1, or an object of them by label, "
            f"got {describe(value)}",
        )
    return [{"label": label, "probability": number} for label, number in pairs]


def _label_probabilities(given: Any) -> list[tuple[str | None, Any]]:
    """Pairs of label and probability; what is no such thing gives a pair without a number."""
    if isinstance(given, dict):
        # A Parquet column of structs has a null for each label that a row does not name.
        return [(label, number) for label, number in given.items() if number is not None]
    if isinstance(given, list) and given:
        # Arrow gives the entries of a map as tuples.
        return [
            (label_value(each[0]), each[1]) if isinstance(each, tuple) else (None, each)
            for each in given
        ]
    return [(None, None)]


def weight_value(value: Any) -> float | None:
    """A weight: a number >= 0 that float32 can hold, or a string with such a number."""
    if value is None or value == "":
        return None
    try:
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
    if value is None or value == "":
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
    if value is None or value == "":
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
    if not isinstance(value, bool | int | float | list | dict):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        raise RowError(
            "malformed_row", f"expected less deeply nested values, got {describe(value)}"
        ) from None
