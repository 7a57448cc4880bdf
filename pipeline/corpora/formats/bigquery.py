"""BigQuery: rows as Beam's connector gives them -> JSON lines in an order of their own.

A table has no order, and the service gives its rows in another one every time.
Rows are therefore divided into buckets by a digest of their content and sorted
within each: the same rows make the same files, however they came.
"""

import base64
import datetime
import decimal
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BUCKETS = 256  # one is sorted in memory


def row_to_line(row: Mapping[str, Any], columns: Sequence[str]) -> bytes:
    """A row as one line of JSON, without the line feed; equal rows make equal lines.

    Dates and times become ISO 8601, decimals and non-finite numbers strings. BYTES
    stay as they are: where they are not UTF-8, neither is the line, and its reader
    says what becomes of the row. Those within a RECORD or an ARRAY are in base64.

    Args:
        row: by column; NULL is None, an ARRAY a list, a RECORD a mapping.
        columns: those that play a part; the others are left out.
    """
    values = {name: _top_value(row[name]) for name in columns if name in row}
    line = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return line.encode("utf-8", "surrogateescape")


def bucket_of(line: bytes) -> int:
    """The bucket of a line, in [0, BUCKETS)."""
    return hashlib.blake2b(line, digest_size=1).digest()[0]


def sort_lines(packs: Iterable[bytes]) -> list[bytes]:
    """The lines of a bucket, in order.

    Args:
        packs: lines that are joined by line feeds.
    """
    return sorted(line for pack in packs for line in pack.split(b"\n"))


def columns_of_line(line: bytes) -> list[str]:
    """The columns of a row that was written as a line."""
    return list(json.loads(line.decode("utf-8", "replace")))


def _top_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return _value(value)


def _value(value: Any) -> Any:
    """What JSON has in place of a value."""
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
