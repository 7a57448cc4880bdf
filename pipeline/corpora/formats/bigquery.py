"""Rows of BigQuery, as Beam's connector yields them -> sorted JSON lines.

A table has no order: the service may return its rows in another order every time. Rows are
therefore divided into buckets by a digest of their content and sorted in each bucket, so that
the same rows always give the same files.
"""

import base64
import datetime
import decimal
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BUCKETS = 256  # each bucket is sorted in memory


def row_to_line(row: Mapping[str, Any], columns: Sequence[str]) -> bytes:
    """A row as one line of JSON, without the line feed; equal rows make equal lines.

    Dates and times become ISO 8601; decimals and non-finite numbers become strings. BYTES are
    copied unchanged; if they are not UTF-8, the line is not UTF-8 either, and the reader of the
    line decides by `errors` what happens to the row. BYTES in a RECORD or an ARRAY become base64.

    Args:
        row: the values by column; NULL is None, an ARRAY is a list, a RECORD is a mapping.
        columns: the columns in use; the others are left out.
    """
    values = {name: _top_value(row[name]) for name in columns if name in row}
    line = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return line.encode("utf-8", "surrogateescape")


def bucket_of(line: bytes) -> int:
    """The bucket of a line, in [0, BUCKETS)."""
    return hashlib.blake2b(line, digest_size=1).digest()[0]


def sort_lines(packs: Iterable[bytes]) -> list[bytes]:
    """The lines of a bucket, sorted.

    Args:
        packs: each holds lines joined by line feeds.
    """
    return sorted(line for pack in packs for line in pack.split(b"\n"))


def columns_of_line(line: bytes) -> list[str]:
    """The columns of the row that `row_to_line` wrote as this line."""
    return list(json.loads(line.decode("utf-8", "replace")))


def _top_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return _value(value)


def _value(value: Any) -> Any:
    """The value, converted to a type that JSON has."""
    if isinstance(value, Mapping):
        return {str(name): _value(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
