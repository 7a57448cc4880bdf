"""Protected patterns: every match becomes one token.

Patterns are RE2 expressions. Both tokenizers, the kernel and the TensorFlow graph, use the RE2
library: one global replacement puts a marker before and a marker after every match, leftmost
match first and without overlap. The markers are bytes that never occur in UTF-8, so the byte
positions of the matches can be computed from the positions of the markers.
"""

import bisect
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.config import ConfigError
from model.text.string_buffers import read_strings

OPENING, CLOSING = 0xFF, 0xFE
MAX_CHARACTERS = 10_000  # every text is searched for all patterns
_SINGLE_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_NOTHING = pa.array([""])
MARKED = bytes([OPENING]) + rb"\0" + bytes([CLOSING])  # \0 is the match


def join_patterns(patterns: tuple[str, ...]) -> str:
    """One pattern that matches what any of `patterns` matches; the first that matches is used.

    Raises:
        ConfigError: a pattern is not a valid RE2 expression, or it matches the empty text.
    """
    length = sum(map(len, patterns))
    if length > MAX_CHARACTERS:
        raise ConfigError(
            f"text.protected: expected patterns of at most {MAX_CHARACTERS:,} characters together, "
            f"got {length:,}."
        )
    for pattern in patterns:
        if _SINGLE_BYTE.search(pattern):
            raise ConfigError(
                f"text.protected: expected patterns of whole characters, got {pattern!r}, whose "
                "\\C matches one byte. Write (?s:.) for any character."
            )
    # All together first: RE2 gives up where they would take too much memory, and so much time. The
    # first one that is wrong is that with which the patterns before it cannot be joined.
    if _complaint(_join(patterns)):

        def fails(last: int) -> bool:
            return _complaint(_join(patterns[: last + 1])) is not None

        first = bisect.bisect_left(range(len(patterns)), True, key=fails)
        raise _invalid(patterns[first], _complaint(_join(patterns[: first + 1])))
    for pattern in patterns:
        if complaint := _complaint(pattern):  # `)|(` is valid in a group, but not alone
            raise _invalid(pattern, complaint)
        if pc.match_substring_regex(_NOTHING, pattern)[0].as_py():
            raise ConfigError(
                f"text.protected: expected patterns that match some text, got {pattern!r}, "
                "which matches the empty text. Write + in place of * or ?."
            )
    return _join(patterns)


def _join(patterns: tuple[str, ...]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _complaint(pattern: str) -> str | None:
    """What RE2 says of a pattern that it cannot use; None if it can."""
    try:
        pc.match_substring_regex(_NOTHING, pattern)
    except pa.ArrowInvalid as error:
        return str(error)
    return None


def _invalid(pattern: str, complaint: str | None) -> ConfigError:
    return ConfigError(
        f"text.protected: expected RE2 patterns, got {pattern!r} ({str(complaint)[:200]}). "
        "RE2 has no look-around and no back-references."
    )


def find_protected(
    texts: pa.StringArray | pa.LargeStringArray, pattern: str
) -> tuple[np.ndarray, np.ndarray]:
    """Finds where matches begin and end in the bytes of `texts`, as `read_strings` returns them.

    Returns:
        `starts` and `ends`, int64 [matches], in order. Empty matches are left out.

    Raises:
        ValueError: a text is not UTF-8 and contains a byte that is used as a marker.
    """
    data, _ = read_strings(texts)
    if (data >= CLOSING).any():
        raise ValueError("texts: expected valid UTF-8, got a byte 0xFE or 0xFF")
    marked, _ = read_strings(pc.replace_substring_regex(texts, pattern, MARKED))
    starts = np.flatnonzero(marked == OPENING)
    ends = np.flatnonzero(marked == CLOSING)
    markers_before = 2 * np.arange(len(starts))
    starts -= markers_before
    ends -= markers_before + 1
    not_empty = starts < ends
    return starts[not_empty], ends[not_empty]
