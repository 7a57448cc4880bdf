"""CSV and TSV files -> raw rows: any delimiter, any quote or none, with or without a header.

A row that is not CSV, or has the wrong number of fields, gets a failure here. `check_rows` of
`corpora.reading` turns these rows, and rows with a bad value, into rejections.

A quoted field may hold line feeds, so only a reader that starts at the beginning of the file knows
where a row begins. One worker therefore reads a whole file.

PyArrow's reader is not used, although it parses 200,000 rows in 0.03 s and this one takes 0.4 s: it
takes text after a closing quote silently as a part of the field, one open quote takes the rest of
the file, its handler of invalid rows gets no row that it repaired itself, and the text of a row,
which a rejection shows, is not kept. Scoring the same rows takes a minute.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats.csv_dialect import CsvDialect
from pipeline.corpora.formats.csv_lines import RETURN
from pipeline.corpora.formats.csv_records import CsvRecords, Record
from pipeline.corpora.formats.csv_shape import RowShape
from pipeline.corpora.reading.columns import input_columns, require_columns
from pipeline.corpora.reading.failures import Failure, with_hole
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows
from pipeline.corpora.reading.streams import batches, text_chunks, with_head
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.holes import HOLE
from pipeline.schemas import RAW_BYTES

# The first line of a file for Excel; it may have been saved with quotes and empty fields.
_SEPARATOR = re.compile(rb'"?sep=([!-~\t ])"?[,;\t]*\r?\n', re.IGNORECASE)
_SEPARATOR_BYTES = 1_000
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, from surrogateescape
_HOLE = HOLE.decode()
_BYTE_ORDER_MARK = "\ufeff"


def read_csv(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    r"""Reads the rows of a file; the header, wherever it stands, and blank lines are not rows.

    Lines end with `\n` or `\r\n`, or with `\r` if the first one does. A line is blank if no field
    has a value. A row fails as `malformed_row` if it has a hole, or more or fewer fields than there
    are columns, where empty fields at its end do not count, if its quote is never closed or
    if text follows a closing quote, and as `text_too_large` if it has more than `limit` bytes.

    Raises:
        BrokenFileError: if the file cannot be read to its end, or ends within a row; its whole rows
            were yielded.
        ConfigError: if the header or `column_names` lacks a column that is needed.
    """
    content = _Content(stream, part)
    part = content.part

    def is_torn(record: Record) -> bool:
        fields, _, failure = record
        return failure is None and len(fields) < named and content.has_open_end

    records = CsvRecords(content.chunks, part.input, limit=limit)
    rows = _Rows(records)
    names, hint = part.input.column_names, ""
    if names is None:
        header = next(iter(rows), None)
        if header is None:
            return
        names = tuple(header[0])
        hint = CsvDialect(part.input).hint_of_header(header[1], names, input_columns(columns))
    require_columns(part.path, columns, names, hint=hint)
    rows.header = list(names)
    named = max((at for at, name in enumerate(names, 1) if name.strip()), default=0)
    records.shape = shape = RowShape(named, len(names))
    wanted = {name: names.index(name) for name in input_columns(columns) if name in names}
    whole = _whole_rows(rows, is_torn)
    for batch in batches(whole, batch_rows=batch_rows, size=_record_bytes):
        checked = _check_fields(
            batch,
            part,
            header=names,
            shape=shape,
            wanted=wanted,
            undecodable=records.undecodable,
            holes=records.holes,
        )
        yield dataclasses.replace(checked, headers_skipped=rows.take_repeated())
    if repeated := rows.take_repeated():  # behind the last row
        none: dict[str, list[str]] = {name: [] for name in wanted}
        yield RawRows(size=0, columns=none, raw=_no_row, headers_skipped=repeated)


class _Content:
    """The content of a file without a first line that tells Excel the delimiter: `sep=;`.

    Attributes:
        part: the part, with this delimiter.

    Raises:
        ConfigError: if the config names another delimiter.
    """

    def __init__(self, stream: BinaryIO, part: FilePart) -> None:
        self._stream = stream
        self._last_byte = b""
        self._skipped = 0
        self.part = part
        head, first = with_head(self._pass(), _SEPARATOR_BYTES)
        self._first: Iterator[bytes] | None = first
        found = _SEPARATOR.match(head)
        if found is None:
            return
        delimiter = found[1].decode()
        if part.input.delimiter not in (delimiter, InputConfig.delimiter):
            raise ConfigError(
                f"{part.path}: expected the delimiter {part.input.delimiter!r} of its input, got "
                f"the first line 'sep={delimiter}', which names {delimiter!r}. Set delimiter: "
                f"{json.dumps(delimiter)} for its input, or delete that line."
            )
        config = dataclasses.replace(part.input, delimiter=delimiter)
        self.part = dataclasses.replace(part, input=config)
        self._skipped = found.end()

    @property
    def has_open_end(self) -> bool:
        """Whether the last line that was read has no line end."""
        return self._last_byte not in (b"\n", b"\r", b"")

    def chunks(self) -> Iterator[bytes]:
        """The content from its begin on; it may be asked for again."""
        chunks, self._first = self._first or self._pass(), None
        left = self._skipped
        for chunk in chunks:
            yield chunk[left:]
            left = max(left - len(chunk), 0)

    def _pass(self) -> Iterator[bytes]:
        if self._stream.seekable():
            self._stream.seek(0)
        for chunk in text_chunks(self._stream, self.part):
            self._last_byte = chunk[-1:] or self._last_byte
            yield chunk


def _whole_rows(rows: Iterable[Record], is_torn: Callable[[Record], bool]) -> Iterator[Record]:
    """The same rows.

    Raises:
        BrokenFileError: in place of the last row, if it is torn; it has no line end then.
    """
    held: Record | None = None
    try:
        for record in rows:
            if held is not None:
                yield held
            held = record
    except BrokenFileError:
        if held is not None:
            yield held
        raise
    if held is not None:
        if is_torn(held):
            raise BrokenFileError("expected the end of a row, got the end of the file within it")
        yield held


class _Rows:
    """The records that are rows: not blank, and not the header again.

    Files that are joined one after another have a header in the middle, perhaps behind a byte order
    mark.

    Attributes:
        header: the names of the columns; empty until they are known.
    """

    def __init__(self, records: CsvRecords) -> None:
        self.header: list[str] = []
        self._repeated = 0
        self._records = records
        self._left = iter(records)

    def __iter__(self) -> Iterator[Record]:
        for record in self._left:
            if self._records.returns:
                record = _with_returns(record)
            fields, _, failure = record
            if failure is None:
                first = fields[0] if fields else ""
                # Most rows begin with a value, and are asked no more than this.
                if (
                    not first
                    or first in self.header
                    or first[0] == _BYTE_ORDER_MARK
                    or first.isspace()
                ):
                    if not any(map(str.strip, fields)):
                        continue
                    if self.header and self._is_header(fields):
                        self._repeated += 1
                        continue
            yield record

    def take_repeated(self) -> int:
        """How often the header was found since the last call."""
        repeated, self._repeated = self._repeated, 0
        return repeated

    def _is_header(self, fields: list[str]) -> bool:
        """Whether this is the header; a byte order mark before it hides the quote of a field."""
        first = fields[0]
        if first.startswith(_BYTE_ORDER_MARK):
            first = first.removeprefix(_BYTE_ORDER_MARK).strip("\"'")
        return first == self.header[0] and fields[1:] == self.header[1:]


def _with_returns(record: Record) -> Record:
    fields, raw, failure = record
    if RETURN not in raw:
        return record
    return [field.replace(RETURN, "\r") for field in fields], raw.replace(RETURN, "\r"), failure


def _check_fields(
    records: list[Record],
    part: FilePart,
    *,
    header: Sequence[str],
    shape: RowShape,
    wanted: dict[str, int],
    undecodable: bool,
    holes: bool,
) -> RawRows:
    """Records -> columns.

    `undecodable` says that some fields may hold bytes that are not UTF-8, `holes` that some records
    may hold holes.
    """
    failures = {}
    repaired = set()
    rows: list[Sequence[str | None]] = []
    dialect = CsvDialect(part.input)
    for index, (fields, raw, failure) in enumerate(records):
        if failure is None and len(fields) != shape.all and not shape.fits(fields):
            failure = Failure("malformed_row", _wrong_number(fields, header, shape))
        if failure is None and holes and _HOLE in raw:
            failure = with_hole()
        if failure is None and undecodable and _ESCAPED.search(raw) is not None:
            if part.input.errors == "replace":
                repaired.add(index)
                fields = [_bytes_of(field).decode("utf-8", "replace") for field in fields]
            else:
                failure = Failure(
                    "not_utf8", f"expected {part.input.encoding} text, got other bytes"
                )
        if failure is not None:
            if failure.reason == "malformed_row":
                failure = failure._replace(detail=failure.detail + dialect.hint(raw))
            failures[index] = failure
        rows.append(fields if failure is None else [None] * shape.all)

    def raw_of(index: int) -> bytes:
        return _bytes_of(records[index][1][:RAW_BYTES])

    return RawRows(
        size=len(records),
        columns={name: [fields[at] for fields in rows] for name, at in wanted.items()},
        raw=raw_of,
        failures=failures,
        repaired=frozenset(repaired),
        untyped=True,
    )


def _no_row(index: int) -> bytes:
    raise IndexError(index)


def _wrong_number(fields: list[str], header: Sequence[str], shape: RowShape) -> str:
    number = str(shape.all) if shape.named == shape.all else f"{shape.named} to {shape.all}"
    detail = f"expected {number} fields, got {len(fields)}"
    first, *others = header
    at = len(fields) - len(header)
    if at >= 0 and fields[at].endswith(first) and fields[at + 1 :] == others:
        detail += ": the header stands behind it in the same line, as if files without a line end "
        detail += "had been joined"
    return detail


def _record_bytes(record: Record) -> int:
    return len(record[1])


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
