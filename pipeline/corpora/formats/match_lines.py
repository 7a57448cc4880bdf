"""Lines or records that match a pattern -> raw rows, for formats that no library reads."""

import re

from pipeline.corpora.reading.decoding import decode_lines
from pipeline.corpora.reading.failures import Failure
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows


def match_lines(
    lines: list[bytes], part: FilePart, *, pattern: re.Pattern[str], expected: str, limit: int
) -> RawRows:
    """Decodes lines and takes the named groups of a pattern as columns.

    Args:
        lines: one for each row, in UTF-8.
        part: the part that they come from.
        pattern: each whole line must match it. Its groups become the columns of the same names.
        expected: describes the pattern in the failure of a line that does not match.
        limit: the largest size of a line in bytes; a longer one fails as `text_too_large`.
    """
    texts, failures, repaired = decode_lines(lines, part, limit=limit)
    matches = [pattern.fullmatch(text) for text in texts]
    for index, match in enumerate(matches):
        if match is None:
            failures.setdefault(
                index, Failure("malformed_row", f"expected {expected}, got other text")
            )
    return RawRows(
        size=len(lines),
        columns={name: [match and match[name] for match in matches] for name in pattern.groupindex},
        raw=lines.__getitem__,
        failures=failures,
        repaired=repaired,
    )
