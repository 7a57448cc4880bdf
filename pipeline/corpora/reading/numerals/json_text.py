"""Values of any type as JSON text that every JSON parser accepts."""

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.corpora.reading.numerals.digits import is_finite, is_nan, number_text


def json_text(value: Any) -> str:
    """The value as JSON, on one line.

    Numbers keep their digits. NaN becomes null, an infinite number the string "Infinity" or
    "-Infinity", bytes become base64, and another type without JSON (a date, a UUID) its `str`.

    Raises:
        RecursionError: for a value that is nested too deeply.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):  # a type or a number that JSON lacks
        return _text(value)


def scalar_text(value: Any) -> str:
    """A value that is neither a list nor a mapping, as text without quotes; NaN becomes "null"."""
    if value is None or is_nan(value):
        return "null"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        if not is_finite(value):
            return "Infinity" if value > 0 else "-Infinity"
        return number_text(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        items = ", ".join(
            f"{_quoted(scalar_text(key))}: {_text(each)}" for key, each in value.items()
        )
        return f"{{{items}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    text = scalar_text(value)
    bare = value is None or is_nan(value) or isinstance(value, bool)
    if bare or (isinstance(value, int | float | Decimal) and is_finite(value)):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
