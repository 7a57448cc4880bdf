"""The placeholders of a date in paths, tables and queries: `{date}` and `{date:%Y/%m/%d}`."""

import datetime
import re

# The parts of a date that `strftime` writes the same on every system.
DIRECTIVES = "YymdjbBaAuUWVG%"

_PLACEHOLDER = re.compile(r"\{date(?::([^{}]*))?\}")


def has_date(text: str) -> bool:
    """Whether a text has a placeholder."""
    return _PLACEHOLDER.search(text) is not None


def fill_date(text: str, date: str) -> str:
    """The text with a date, YYYY-MM-DD, in place of every placeholder."""

    def written(match: re.Match[str]) -> str:
        if match[1] is None:
            return date
        return datetime.date.fromisoformat(date).strftime(match[1])

    return _PLACEHOLDER.sub(written, text)


def any_date(text: str, *, other: str = "*") -> str:
    """The text with `other` in place of everything that depends on the date."""

    def written(match: re.Match[str]) -> str:
        return other if match[1] is None else re.sub("%.", other, match[1])

    return _PLACEHOLDER.sub(written, text)


def bad_formats(text: str) -> list[str]:
    """The placeholders whose format has another directive than those of a date, or has none."""
    return [
        match[0]
        for match in _PLACEHOLDER.finditer(text)
        if match[1] is not None and not re.fullmatch(f"[^%]*(%[{DIRECTIVES}][^%]*)+", match[1])
    ]
