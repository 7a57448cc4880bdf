"""Numbers that a person or a file writes as text."""

import math
import re

# As in JSON and CSV: ASCII digits, with a point and an exponent. Python's `float` also takes 1_000,
# digits of other scripts, and the word infinity.
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def parse_numeral(text: str) -> float:
    """The number that a text holds; blanks around it do not matter. NaN if it holds none.

    >>> [parse_numeral(text) for text in ("1.5", " 1e3 ", "1_000", "infinity")]
    [1.5, 1000.0, nan, nan]
    """
    stripped = text.strip()
    return float(stripped) if _NUMBER.fullmatch(stripped) else math.nan
