"""Rows of BigQuery, as Beam's connector yields them -> sorted JSON lines.

A table has no order: the service may return its rows in another order every time. Rows are
therefore divided into buckets by a digest of their content and sorted in each bucket, so that
the same rows always give the same files.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.corpora.reading.numerals.json_text import json_text, scalar_text
from pipeline.corpora.reading.values import kept_value

BUCKETS = 256  # each bucket is sorted in memory


def row_to_line(row: Mapping[str, Any], columns: Sequence[str], keep: Sequence[str] = ()) -> bytes:
    """A row as one line of JSON, without the line feed; equal rows make equal lines.

    Kept columns are strings already, as `kept_value` makes them; numbers of the other columns keep
    their digits. BYTES are copied unchanged; if they are not UTF-8, the line is not UTF-8 either,
    and the reader of the line decides by `errors` what happens to the row. BYTES in a RECORD or an
    ARRAY become base64.

    Args:
        row: the values by column; NULL is None, an ARRAY is a list, a RECORD is a mapping.
        columns: the columns in use; the others are left out.
        keep: those of them that are kept, and nothing else.
    """
    fields = [
        f"{json_text(name)}:{_top_text(row[name], kept=name in keep)}"
        for name in sorted(columns)
        if name in row
    ]
    return f"{{{','.join(fields)}}}".encode("utf-8", "surrogateescape")


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


def _top_text(value: Any, *, kept: bool) -> str:
    if isinstance(value, bytes):
        return json_text(value.decode("utf-8", "surrogateescape"))
    if isinstance(value, float) and math.isinf(value) and not kept:
        return scalar_text(value)  # a number, which the reader of JSON lines takes
    return json_text(kept_value(value) if kept else value)
