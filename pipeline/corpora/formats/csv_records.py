"""CSV text -> records, with a way back from a quote that is never closed.

Python's `csv` module parses. It is told to be strict: text after a closing quote is an error, not a
part of the field, so that a quote that a backslash escapes is never silently changed.

A quote that is opened by mistake would take all rows up to the next quote into its field. So where
a quoted field is never closed, or text follows its closing quote, only the line where the row
begins is lost: the rows after it are read from the next line on. Up to a hundred lines behind it
that have too few fields belong to the lost row, until a line begins a row with the right number.
A row that has the right number of fields if a backslash escapes its quotes is lost with all its
lines. A file that ends within a field of several lines is broken.
"""

import csv
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import NamedTuple

from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats.csv_dialect import CsvDialect
from pipeline.corpora.formats.csv_lines import CutLine, LineBlock, csv_lines
from pipeline.corpora.formats.csv_shape import LOST_LINES, RowShape
from pipeline.corpora.reading.failures import Failure, too_large
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.schemas import RAW_BYTES

# A quote that is never closed in a row larger than the limit takes one more pass over the file.
_MAX_PASSES = 20


# The fields of a row, its text as it stands in the file, and why it has no fields, if it has none.
# A named tuple would cost a tenth of the reading.
Record = tuple[list[str], str, Failure | None]


class _Parsed(NamedTuple):
    """What begins at a line.

    Attributes:
        fields: the fields of the record.
        end: the index of the line after it, or after the line in which an error was met.
        detail: why there is no record, if there is none.
    """

    fields: list[str]
    end: int
    detail: str | None = None


class _RowTooLargeError(Exception):
    """A row has more bytes than the limit. It has been passed over."""


class CsvRecords:
    """The records of a file in order, blank ones mostly included.

    At most `limit` bytes of a row and one chunk are held in memory.

    Attributes:
        shape: how many fields a row has; None until the header is known: any number.
        undecodable: whether any line so far was not UTF-8.
        returns: whether `csv_lines.RETURN` stands for a carriage return in any line so far.
        holes: whether any line so far had a hole.
    """

    def __init__(
        self, chunks: Callable[[], Iterator[bytes]], config: InputConfig, *, limit: int
    ) -> None:
        """Reads the content that `chunks` gives from its begin; it may be called again."""
        self.shape: RowShape | None = None
        self.undecodable = self.returns = self.holes = False
        self._config = config
        self._dialect = CsvDialect(config)
        self._escaped = self._dialect.with_backslash(config)
        self._most_lines = 1  # of a record so far
        self._chunks = chunks
        self._limit = limit
        self._passes = 0
        self._blocks = self._new_pass()
        # The lines of the last block, or of the last blocks if a row began in the first of them.
        self._lines: list[str] = []
        self._at = 0  # index of the next line
        self._plain = True  # whether no line has a quote or an escape
        self._lost = False  # a row failed, and no line after it has begun a row yet
        self._lost_lines = 0  # how many lines since then belong to it

    def __iter__(self) -> Iterator[Record]:
        """Yields the records; not those of many blank lines in a row, where no field is open.

        Raises:
            BrokenFileError: if the content cannot be read to its end, after the whole rows before
                the damage were yielded.
        """
        while True:
            if self._at == len(self._lines):
                block = self._next_block()
                if block is None:
                    return
                self._lines, self._plain, self._at = block.lines, block.plain, 0
                if block.blank:  # more lines than can belong to a row that failed
                    self._at, self._lost = len(block.lines), False
                    continue
            line = self._lines[self._at]
            if isinstance(line, CutLine):
                yield self._cut_row(line)
            elif self._lost:
                yield from self._resume(line)
            elif self._plain:
                yield from self._plain_rows()
            else:
                yield from self._quoted_rows()

    def _new_pass(self) -> Iterator[LineBlock]:
        self._passes += 1
        self._lines_read = 0
        if self._passes > _MAX_PASSES:
            raise BrokenFileError(
                f"expected every quote to be closed, got {_MAX_PASSES} that are open for more "
                f"than {self._limit} bytes; the rest of the file was not read"
            )
        config = self._config
        return csv_lines(
            self._chunks(),
            delimiter=config.delimiter,
            quote=config.quote,
            escape=config.escape,
            limit=self._limit,
        )

    def _next_block(self) -> LineBlock | None:
        block = next(self._blocks, None)
        if block is not None:
            self._lines_read += len(block.lines)
            self.undecodable |= block.undecodable
            self.returns |= block.returns
            self.holes |= block.holes
        return block

    def _plain_rows(self) -> Iterator[Record]:
        """Lines without quotes: each is a row."""
        lines = self._lines[self._at :] if self._at else self._lines
        self._at = len(self._lines)
        yield from zip(self._dialect.reader(lines), lines, repeat(None))

    def _quoted_rows(self) -> Iterator[Record]:
        """The rows from the next line on, until one fails or no line is left."""
        lines, first = self._lines, self._at
        end = _End()
        rows = self._dialect.reader(chain(map(lines.__getitem__, range(first, len(lines))), end))
        while True:
            try:
                fields = next(rows)
            except StopIteration:
                return
            except csv.Error:
                break
            stop = first + rows.line_num
            if end.reached or (stop - self._at > 1 and self._is_stray(fields, stop)):
                break
            if stop - self._at == 1:
                raw = lines[self._at]
            else:
                raw = "".join(lines[self._at : stop])
                self._most_lines = max(self._most_lines, stop - self._at)
            self._at = stop
            yield fields, raw, None
        yield self._row_or_rejection()

    def _row_or_rejection(self) -> Record:
        """What begins at the next line."""
        head = self._lines[self._at]
        try:
            parsed = self._parse()
            escaped = parsed if parsed.detail is None else self._parse_escaped(parsed.end)
        except _RowTooLargeError:
            self._lost = False
            return [], head[:RAW_BYTES], too_large(self._limit)
        if parsed.detail is None:
            return self._take(parsed)
        if escaped is not None:
            self._lost = False
            _, raw, failure = self._take(escaped)
            return [], raw, failure or Failure("malformed_row", parsed.detail)
        self._at += 1
        self._lost = self._dialect.is_open_after(head)
        self._lost_lines = 0
        return [], head[:RAW_BYTES], Failure("malformed_row", parsed.detail)

    def _resume(self, line: str) -> Iterator[Record]:
        """Looks for the next row after one that failed: what the next line is."""
        enough = self.shape is not None and self._dialect.count_fields(line) >= self.shape.named
        if enough or self._lost_lines >= LOST_LINES:
            self._lost = False
            yield self._row_or_rejection()
            return
        try:
            parsed = self._parse()
        except _RowTooLargeError:
            return  # passed over with the row that failed
        fits = parsed.detail is None and (self.shape is None or self.shape.fits(parsed.fields))
        if fits and any(parsed.fields):
            self._lost = False
            yield self._take(parsed)
        else:
            self._at += 1
            self._lost_lines += 1

    def _cut_row(self, line: CutLine) -> Record:
        """The row that begins with a line longer than the limit."""
        self._lost = False
        if line.odd_quotes:  # its last field may end in a later line
            self._pass_over(None)
        else:
            self._at += 1
        return [], str(line), too_large(self._limit)

    def _take(self, parsed: _Parsed) -> Record:
        raw = "".join(self._lines[self._at : parsed.end])
        self._most_lines = max(self._most_lines, parsed.end - self._at)
        self._at = parsed.end
        if len(raw) > self._limit:
            return [], raw[:RAW_BYTES], too_large(self._limit)
        return parsed.fields, raw, None

    def _parse(self) -> _Parsed:
        """Parses what begins at the next line; reads more blocks while a quote is open.

        Raises:
            _RowTooLargeError: for a row of more than `limit` bytes; it has been passed over.
            BrokenFileError: if the file ends within a field.
        """
        while True:
            end = _End()
            text = map(self._lines.__getitem__, range(self._at, len(self._lines)))
            rows = self._dialect.reader(chain(text, end))
            try:
                fields = next(rows)
            except csv.Error:
                if not end.reached:
                    failed = self._at + rows.line_num
                    return _Parsed([], failed, self._dialect.text_after_quote())
            if not end.reached:
                stop = self._at + rows.line_num
                if stop - self._at > 1 and self._is_stray(fields, stop):
                    lines = f"one {stop - self._at - 1} lines later, after lines that are rows"
                    return _Parsed([], 0, f"expected a closing quote, got {lines}")
                return _Parsed(fields, stop)
            if not self._hold_row():
                return _Parsed([], 0, "expected a closing quote, got the end of the file")

    def _parse_escaped(self, end: int) -> _Parsed | None:
        """Parses what begins at the next line as if a backslash escaped the quotes in it.

        Args:
            end: the index of the line after the one in which it fails otherwise.

        Returns:
            A record with the right number of fields; None if there is no such record.
        """
        if self._escaped is None or self.shape is None:
            return None
        if not any(map(self._dialect.hint, self._lines[self._at : end])):
            return None
        plain, self._dialect = self._dialect, self._escaped
        try:
            parsed = self._parse()
        finally:
            self._dialect = plain
        return parsed if parsed.detail is None and self.shape.fits(parsed.fields) else None

    def _hold_row(self) -> bool:
        """Reads lines until the row that is open at the end of the lines may be complete.

        Returns:
            False if no quote closes it.

        Raises:
            _RowTooLargeError, BrokenFileError: see `_parse`.
        """
        del self._lines[: self._at]
        self._at = 0
        self._plain = False
        size = sum(map(len, self._lines))
        while True:
            escaped = self._dialect.ends_escaped(self._lines[-1])
            block = self._next_block()
            if block is None:
                self._require_whole_field()
                return False
            if size > self._limit or isinstance(block.lines[0], CutLine):
                if self._pass_over(block):
                    raise _RowTooLargeError
                return False
            self._lines += block.lines
            size += sum(map(len, block.lines))
            if escaped or self._closing_line(block) is not None:
                return True

    def _require_whole_field(self) -> None:
        """Raises `BrokenFileError` if the file ends within the field open at the next line."""
        lines, count = self._lines[self._at :], self._dialect.count_fields
        shape = self.shape
        if shape and shape.ends_within_field(lines, count, most_lines=self._most_lines):
            raise BrokenFileError(
                "expected the end of a row, got the end of the file within a quoted field"
            )

    def _pass_over(self, block: LineBlock | None) -> bool:
        """Looks for the end of a row that is larger than the limit, without holding it.

        Args:
            block: the lines after `_lines`; None: not read yet.

        Returns:
            Whether the row ends. If not, the file is read again up to the line in which it
            begins, so that no more than this line is lost; the line after it is the next one then.
        """
        held = len(self._lines) + (0 if block is None else len(block.lines))
        begin = self._lines_read - held + self._at  # the number of the line in the file
        self._lines = []
        block = block or self._next_block()
        while block is not None:
            found = self._closing_line(block)
            if found is not None:
                index, complete = found
                if not complete:
                    break
                self._lines, self._plain, self._at = block.lines, False, index + 1
                return True
            block = self._next_block()
        self._blocks = self._new_pass()
        while self._lines_read <= begin:
            block = self._next_block()
            if block is None:
                raise BrokenFileError("expected the same lines when read again, got fewer")
            self._lines = block.lines
        self._plain = False
        self._at = begin - (self._lines_read - len(self._lines))
        return False

    def _closing_line(self, block: LineBlock) -> tuple[int, bool] | None:
        """Where the row ends whose quoted field is open before the block.

        Returns:
            The index of the line, and whether the row is complete there: false where text follows a
            closing quote. None if a field is open after the block.
        """
        quote = self._dialect.quote
        if quote is None or block.plain:
            return None
        for index, line in enumerate(block.lines):
            if isinstance(line, CutLine):
                if line.odd_quotes:
                    return index, True
            elif quote in line:
                end = _End()
                try:
                    next(self._dialect.reader(chain([quote + line], end)))
                except csv.Error:
                    if not end.reached:
                        return index, False
                if not end.reached:
                    return index, True
        return None

    def _is_stray(self, fields: list[str], stop: int) -> bool:
        lines = self._lines[self._at : stop]
        shape, dialect = self.shape, self._dialect
        return shape is not None and shape.is_stray(
            fields, lines, count=dialect.count_fields, first=dialect.first_field
        )


class _End(Iterator[str]):
    """The end of the lines; knows whether the parser has asked for a line more."""

    def __init__(self) -> None:
        self.reached = False

    def __next__(self) -> str:
        self.reached = True
        raise StopIteration
