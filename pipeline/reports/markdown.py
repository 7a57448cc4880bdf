"""Markdown that holds untrusted text: escaped text, tables, fenced code."""

import re
from collections.abc import Iterable, Sequence

from pipeline.process.printable import readable

# CommonMark: a backslash makes any ASCII punctuation literal. These mean
# something inside a line; `:`, `@` and the dot of `www.` make links on GitHub.
_INLINE = re.compile(r"[\\`*_{}\[\]<>#|~&$!:@^=]|(?<=www)\.", re.IGNORECASE)
# These begin a list or a rule, should the text stand first on a line or in an item.
_LEADING = re.compile(r"^(\d*)([-+]|(?<=\d)[.)](?=\s|$))")
_SPACE = re.compile(r"\s+")

MAX_CHARACTERS = 2_000  # of one text


def escaped(text: str) -> str:
    """Markdown that renders as exactly this text, on one line.

    White space becomes single spaces; control characters become visible; ` […]` marks where a text
    of more than `MAX_CHARACTERS` is cut.
    """
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]} […]"
    line = _INLINE.sub(r"\\\g<0>", readable(_SPACE.sub(" ", text).strip()))
    return _LEADING.sub(r"\1\\\2", line)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table, the first column of text and the others of numbers.

    Args:
        header: one cell a column. Cells are Markdown: the caller escapes corpus text.
        rows: as the header.
    """
    rule = [":--", *["--:"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def fenced(code: str) -> list[str]:
    """The lines of a code block; its fence is longer than any run of backticks in the code."""
    longest = max(map(len, re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *map(readable, code.splitlines()), fence]
