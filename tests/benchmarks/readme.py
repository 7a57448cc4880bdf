"""README's tables of measurements, each between two comments that say what writes it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
README = PROJECT / "README.md"

Row = tuple[str, ...]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Rows, the first of which is the head, as the lines of a Markdown table."""
    for number, row in enumerate(rows):
        yield "| " + " | ".join(row) + " |"
        if not number:
            yield "| " + " | ".join("---" for _ in row) + " |"


def text_between(page: str, begin: str, end: str) -> str:
    """Returns what stands between two comments.

    Raises:
        ValueError: if the page lacks one of the comments.
    """
    _, found, rest = page.partition(begin)
    text, found_end, _ = rest.partition(end)
    if not found or not found_end:
        raise ValueError(
            f"README: expected the comments {begin!r} and {end!r}, got a page without them"
        )
    return text


def replace_between(page: str, begin: str, end: str, lines: Sequence[str]) -> str:
    """Returns the page with other lines between two comments.

    Raises:
        ValueError: if the page lacks one of the comments.
    """
    old = begin + text_between(page, begin, end) + end
    return page.replace(old, "\n".join([begin, *lines, end]))


def write_readme(change: Callable[[str], str]) -> None:
    """Replaces README by what `change` makes of it."""
    page = README.read_text(encoding="utf-8")
    README.write_text(change(page), encoding="utf-8")
