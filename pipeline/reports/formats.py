"""Values as text for a person: counts, shares, sizes, times, reasons, raw bytes.

`humanize` formats sizes. Its durations are words (`2 hours and 5 minutes`), which are too long for
a tile or a table cell, so `duration` is our own.
"""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import humanize

from pipeline.corpora.reading.counts import sort_by_count
from pipeline.process.printable import shortened

# What each reason for a rejection means, for the person who owns the corpus.
REASONS: Mapping[str, str] = {
    "malformed_row": "The row could not be parsed.",
    "not_utf8": "The row has bytes that are not valid in the expected encoding.",
    "missing_column": "The row has no text column.",
    "empty_text": "The text is null or blank.",
    "unknown_label": "The label is not one of the known labels.",
    "duplicate_id": "An earlier row has the same id.",
    "text_too_large": "The text is larger than the configured limit.",
    "scoring_failed": "The model could not score the text.",
}

RAW_CHARACTERS = 300


def count(value: float) -> str:
    """A whole number with thousands separators: `12,345`."""
    return f"{value:,.0f}"


def list_labels(counts: Mapping[str, int], *, shown: int = 5) -> str:
    """Labels with their counts, the most frequent first: `'a' (3), 'b' (1)`, `and 7 more`."""
    listed = [f"{shortened(label)!r} ({count:,})" for label, count in sort_by_count(counts)[:shown]]
    more = [f"and {len(counts) - shown:,} more"] if len(counts) > shown else []
    return ", ".join([*listed, *more])


def counted(value: float, noun: str) -> str:
    """A count of things: `1 document`, `2,000 documents`."""
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"


def percent(share: float) -> str:
    """A share as a percentage with one decimal; only exactly 0 is `0%`, and only 1 is `100%`."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}" if share not in (0, 1) else f"{share:.0%}"


def decimal(value: float) -> str:
    """A number with three decimals: `0.071`."""
    return f"{value:,.3f}"


def signed(value: float) -> str:
    """A number with its sign and two decimals: `+0.71`."""
    return f"{value:+,.2f}"


def byte_size(value: float) -> str:
    """Bytes in decimal units: `3.4 MB`."""
    return humanize.naturalsize(value)


def moment(iso: str) -> str:
    """An ISO 8601 time to the minute, in UTC: `2026-11-20 03:15 UTC`."""
    time = datetime.datetime.fromisoformat(iso)
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.UTC)
    return f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """Seconds in their two largest units: `2 h 05 min`, `3 min 20 s`, `4.2 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def raw_text(raw: bytes | None) -> str:
    """The first bytes of a rejected row as text; bytes that are not UTF-8 as `\\xff`."""
    text = (raw or b"").decode("utf-8", errors="backslashreplace")
    return text if len(text) <= RAW_CHARACTERS else f"{text[:RAW_CHARACTERS]}…"


def dotted(config: Mapping[str, Any], *, above: str = "") -> Iterator[tuple[str, str]]:
    """Yields `(dotted key, value)` of a nested mapping, depth first."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from dotted(value, above=f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)
