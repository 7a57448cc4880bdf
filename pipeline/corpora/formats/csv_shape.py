"""How many fields the rows of a CSV file have, and what that tells of a quote that stays open."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

# A record of this many lines that all look like rows of their own was made by two stray quotes.
STRAY_LINES = 10
# So many lines behind a row that failed may belong to it; each one after them is a row of its own.
LOST_LINES = 100


class RowShape(NamedTuple):
    """How many fields a row has.

    Attributes:
        named: up to the last column that has a name; a row has at least these.
        all: in the header; what a row has behind them is empty.
    """

    named: int
    all: int

    def fits(self, fields: list[str]) -> bool:
        """Whether a row may have these fields."""
        count = len(fields)
        return self.named <= count and (
            count <= self.all or not any(map(str.strip, fields[self.all :]))
        )

    def is_stray(
        self,
        fields: list[str],
        lines: Sequence[str],
        *,
        count: Callable[[str], int],
        first: Callable[[str], str],
    ) -> bool:
        """Whether a quote seems to be opened by mistake and closed in another row, by mistake too.

        So it seems if each of the record's lines has the right number of fields by itself, but
        the record has not, or it has very many lines, of which one begins as the first does.

        Args:
            fields: those of the record.
            lines: those of the record.
            count: the number of fields of a line, if its quotes mean nothing.
            first: the first field of a line, likewise.
        """
        if self.all == 1 or (self.fits(fields) and len(lines) < STRAY_LINES):
            return False
        if not all(self.named <= number <= self.all for number in map(count, lines)):
            return False
        head, *others = map(_kind, map(first, lines))
        return not self.fits(fields) or head in others

    def ends_within_field(
        self, lines: Sequence[str], count: Callable[[str], int], *, most_lines: int
    ) -> bool:
        """Whether a file was cut within a quoted field, rather than the quote opened by mistake.

        Behind a quote that was opened by mistake there are rows, perhaps damaged. Some lines of a
        text may look like rows, too, so that there must be many of them in a file that has texts of
        several lines, or whose last line has no end.

        Args:
            lines: from the line in which the field begins to the end of the file.
            count: see `is_stray`.
            most_lines: the largest number of lines that a record before them has.
        """
        behind = [line for line in lines[1:] if line.strip()]
        rows = sum(number >= self.named for number in map(count, behind))
        few = min(STRAY_LINES + 2 * most_lines, LOST_LINES)
        if most_lines == 1 and lines[-1].endswith(("\n", "\r")):
            few = 0
        return 2 * rows < len(behind) or len(behind) < few


def _kind(field: str) -> tuple[bool, bool]:
    """Whether a field has white space, and whether it has a digit: ids differ so from words."""
    return any(map(str.isspace, field.strip())), any(map(str.isdigit, field))
