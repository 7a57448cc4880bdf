"""CSV and TSV files -> raw rows: any delimiter, any quote or none, with or without a header.

A row that is not CSV, or has the wrong number of fields, gets a failure here. `check_rows` of
`corpora.reading` turns these rows, and rows with a bad value, into rejections.

A quoted field may hold line feeds, so only a reader that starts at the beginning of the file knows
where a row begins. One worker therefore reads a whole file.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import input_columns, require_columns
from pipeline.corpora.reading.failures import BrokenFileError, Failure, too_large
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import batches, line_blocks, text_chunks
from pipeline.schemas import RAW_BYTES

_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, from surrogateescape


class _Record(NamedTuple):
    fields: list[str]
    raw: str
    failure: Failure | None = None


class _CutLine(str):
    """The first bytes of a line that is longer than the limit."""

    __slots__ = ()


class _RowTooLargeError(Exception):
    """A row is longer than the limit; after an open quote, that can be the rest of the file."""


def read_csv(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    r"""Reads the rows of a file; the header and empty lines are not rows.

    Lines end with `\n`, `\r\n` or `\r`. A row fails as `malformed_row` if it has more or fewer
    fields than there are columns or if its quote is never closed, and as `text_too_large` if it
    has more than `limit` bytes.

    Raises:
        ConfigError: if the header or `column_names` lacks a column that is needed.
    """
    # Python's limit for a field is one setting of the whole process, so it is set to its maximum.
    # `limit`, which applies to a row, is checked in `_Lines`.
    csv.field_size_limit(2**31 - 1)
    quote = part.input.quote
    lines = _Lines(line_blocks(text_chunks(stream, part), limit=limit), limit=limit)
    rows = csv.reader(
        lines,
        delimiter=part.input.delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
    )
    records = _records(rows, lines, limit=limit)
    names = part.input.column_names
    if names is None:
        header = next(records, None)
        if header is None:
            return
        names = tuple(header.fields)
    require_columns(part.path, columns, names)
    wanted = {name: names.index(name) for name in input_columns(columns) if name in names}
    for batch in batches(records, batch_rows=batch_rows, size=_record_bytes):
        yield _check_fields(
            batch, part, width=len(names), wanted=wanted, undecodable=lines.undecodable
        )


class _Lines:
    """Passes lines to `csv.reader` and keeps those of the current row.

    Attributes:
        row: the lines of the current row so far; `begin_row` empties it.
        ended: whether `csv.reader` asked for a line after the last one.
        undecodable: whether any line so far was not UTF-8.
    """

    def __init__(self, blocks: Iterator[list[bytes]], *, limit: int) -> None:
        self._lines = self._decode(blocks)
        self._limit = limit
        self.row: list[str] = []
        self.row_size = 0
        self.ended = False
        self.undecodable = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.row.append(line)
        self.row_size += len(line)
        if self.row_size > self._limit or type(line) is _CutLine:
            raise _RowTooLargeError
        return line

    def begin_row(self) -> None:
        self.row = []
        self.row_size = 0

    def _decode(self, blocks: Iterator[list[bytes]]) -> Iterator[str]:
        for block in blocks:
            for line in block:
                if len(line) > self._limit:
                    yield _CutLine(line[:RAW_BYTES].decode("utf-8", "surrogateescape"))
                    continue
                try:
                    text = line.decode()
                except UnicodeDecodeError:
                    text = line.decode("utf-8", "surrogateescape")
                    self.undecodable = True
                if "\r" in text:
                    yield from io.StringIO(text + "\n", newline="")
                else:
                    yield text + "\n"


def _records(rows: Iterator[list[str]], lines: _Lines, *, limit: int) -> Iterator[_Record]:
    while True:
        lines.begin_row()
        try:
            fields = next(rows)
        except StopIteration:
            return
        except _RowTooLargeError:
            yield _Record([], "".join(lines.row)[:RAW_BYTES], too_large(limit))
            continue
        except csv.Error as error:
            failure = Failure("malformed_row", f"expected CSV, got an error: {error}")
            yield _Record([], "".join(lines.row)[:RAW_BYTES], failure)
            continue
        except BrokenFileError as error:
            row = _bytes_of("".join(lines.row))
            raise BrokenFileError(error.detail, row + error.rest) from error
        raw = lines.row[0] if len(lines.row) == 1 else "".join(lines.row)
        if lines.ended:  # the reader asked for another line, so a quote is open
            detail = "expected a closing quote, got the end of the file"
            yield _Record([], raw[:RAW_BYTES], Failure("malformed_row", detail))
        elif fields:
            yield _Record(fields, raw)


def _check_fields(
    records: list[_Record],
    part: FilePart,
    *,
    width: int,
    wanted: dict[str, int],
    undecodable: bool,
) -> RawRows:
    """Records -> columns; `undecodable` says that some fields may hold bytes that are not UTF-8."""
    failures = {}
    repaired = set()
    rows: list[Sequence[str | None]] = []
    for index, (fields, raw, failure) in enumerate(records):
        if failure is None and len(fields) != width:
            failure = Failure("malformed_row", f"expected {width} fields, got {len(fields)}")
        if failure is None and undecodable and _ESCAPED.search(raw) is not None:
            if part.input.errors == "replace":
                repaired.add(index)
                fields = [_bytes_of(field).decode("utf-8", "replace") for field in fields]
            else:
                failure = Failure(
                    "not_utf8", f"expected {part.input.encoding} text, got other bytes"
                )
        if failure is not None:
            failures[index] = failure
        rows.append(fields if failure is None else [None] * width)

    def raw_of(index: int) -> bytes:
        return _bytes_of(records[index].raw[:RAW_BYTES])

    return RawRows(
        size=len(records),
        columns={name: [fields[at] for fields in rows] for name, at in wanted.items()},
        raw=raw_of,
        failures=failures,
        repaired=frozenset(repaired),
    )


def _record_bytes(record: _Record) -> int:
    return len(record.raw)


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
