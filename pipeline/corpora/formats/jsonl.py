"""JSON lines -> raw rows: each line is one object."""

import contextlib
import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson

from pipeline.config.inputs import format_of
from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.columns import columns_of_names
from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import Failure, RowError, describe, too_large, with_hole
from pipeline.corpora.reading.numerals.digits import may_lose_digits, parse_json
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows, mapping_rows
from pipeline.corpora.reading.streams import (
    batches,
    line_blocks,
    text_chunks,
    with_head,
    without_blanks,
)
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.holes import HOLE
from pipeline.corpora.stored.json_documents import (
    is_cut,
    is_document,
    json_elements,
    require_no_wrapping,
)
from pipeline.corpora.stored.kinds import HEAD_BYTES

# orjson refuses these and Limelight accepts them: the escape of a surrogate without the other half
# of its pair, control characters in a string that are not escaped, the constants that Python and
# pandas write, and numbers that are infinite as floats.
_LENIENT = re.compile(r"\\u[dD][89a-fA-F]|[\x00-\x1f]|NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{309}")
_HOLE = HOLE.decode()
_MAY_HOLD_FLOATS = {float, list, dict}
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_jsonl(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the rows of a part; blank lines are not rows.

    The escape of a lone surrogate in a string becomes U+FFFD. A line of more than `limit`
    bytes fails as `text_too_large`. The rows may also be the elements of an array, or objects that
    are printed over several lines.

    Raises:
        BrokenFileError: if the file cannot be read to its end, ends within a row, or is one object
            that holds the rows as a list.
    """
    lines = _lines(text_chunks(stream, part), part, limit=limit)
    if part.start == 0 and part.end is None:
        lines = _not_wrapped(lines, text_column=columns.text)
    for batch in batches(lines, batch_rows=batch_rows, size=len):
        yield _parse_lines(batch, part, columns=columns, limit=limit)


def _lines(chunks: Iterator[bytes], part: FilePart, *, limit: int) -> Iterator[bytes]:
    """The rows of a part, not yet parsed."""
    if part.start == 0 and part.end is None:
        head, chunks = with_head(chunks, HEAD_BYTES)
        if is_document(head):
            return json_elements(chunks, limit=limit)
    return chain.from_iterable(map(without_blanks, _whole_lines(chunks, limit=limit)))


def _whole_lines(chunks: Iterator[bytes], *, limit: int) -> Iterator[list[bytes]]:
    """Blocks of lines.

    Raises:
        BrokenFileError: if the last line has no line feed and is the beginning of an object.
    """
    last_chunk = b""

    def watched() -> Iterator[bytes]:
        nonlocal last_chunk
        for chunk in chunks:
            last_chunk = chunk or last_chunk
            yield chunk

    held: list[bytes] = []
    try:
        for block in line_blocks(watched(), limit=limit):
            if held:
                yield held
            held = block
    except BrokenFileError:
        yield held
        raise
    if held and not last_chunk.endswith(b"\n") and len(held[-1]) <= limit and is_cut(held[-1]):
        yield held[:-1]
        raise BrokenFileError(
            "expected the end of a JSON object, got the end of the file within a row"
        )
    yield held


def _not_wrapped(lines: Iterator[bytes], *, text_column: str) -> Iterator[bytes]:
    """The same lines.

    Raises:
        BrokenFileError: if there is only one, which holds the rows as a list.
    """
    first = list(islice(lines, 1))
    try:
        second = list(islice(lines, 1))
    except BrokenFileError:
        yield from first
        raise
    if first and not second:
        require_no_wrapping(first[0], text_column=text_column)
    yield from chain(first, second, lines)


def _parse_lines(
    lines: list[bytes], part: FilePart, *, columns: ColumnsConfig, limit: int
) -> RawRows:
    failures: dict[int, Failure] = {}
    repaired = set()
    try:
        values = [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError:
        values = []
        for index, line in enumerate(lines):
            try:
                value, was_repaired = _parse_line(line, part, limit=limit)
            except RowError as error:
                failures[index] = _with_hint(error.failure, part)
                value, was_repaired = {}, False
            values.append(value)
            if was_repaired:
                repaired.add(index)
    for index, value in enumerate(values):
        if type(value) is not dict:
            detail = f"expected a JSON object, got {describe(value)}"
            failures[index] = Failure("malformed_row", detail)
            values[index] = {}

    def rows_of_values() -> RawRows:
        return mapping_rows(
            values,
            columns=columns,
            raw=lines.__getitem__,
            failures=failures,
            repaired=frozenset(repaired),
        )

    rows = rows_of_values()
    inexact = _rows_of_long_numbers(rows, lines, columns)
    if not inexact:
        return rows
    for index in inexact:
        with contextlib.suppress(RowError):  # nested too deeply for the exact parser
            values[index], _ = _parse_line(lines[index], part, limit=limit, exact=True)
    return rows_of_values()


def _rows_of_long_numbers(rows: RawRows, lines: list[bytes], columns: ColumnsConfig) -> list[int]:
    """The rows in which orjson may have taken digits from a number that is in use.

    Only floats, and lists and objects that may hold some, are looked at: what became an integer or
    a string has all its digits.
    """
    suspects: set[int] = set()
    for name in columns_of_names(columns):
        values = rows.columns[name]
        if not _MAY_HOLD_FLOATS.isdisjoint(map(type, values)):
            suspects.update(
                index for index, value in enumerate(values) if type(value) in _MAY_HOLD_FLOATS
            )
    return [index for index in sorted(suspects) if may_lose_digits(lines[index])]


def _parse_line(
    line: bytes, part: FilePart, *, limit: int, exact: bool = False
) -> tuple[Any, bool]:
    """The value of a line that may be damaged, and whether U+FFFD replaces a part of it.

    Numbers keep all their digits if `exact`; orjson is faster but makes floats of long ones.
    """
    if len(line) > limit:
        raise RowError(*too_large(limit))
    text, replaced = decode(line, name=part.input.encoding, errors=part.input.errors)
    # A byte order mark is from files that were concatenated; zero bytes are from a crash.
    text = text.removeprefix("\ufeff").strip("\0")
    if _HOLE in text:
        raise RowError(*with_hole())
    try:
        if not exact:
            return orjson.loads(text), replaced
    except orjson.JSONDecodeError as error:
        refused = error
    try:
        if not exact and _LENIENT.search(text) is None:
            raise refused
        value = parse_json(text)
        whole = _without_surrogates(value)
        return whole, replaced or whole != value
    except json.JSONDecodeError as error:
        raise RowError(
            "malformed_row", f"expected JSON, got an error at character {error.pos}: {error.msg}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise RowError("malformed_row", f"expected JSON, got {error}") from None


def _with_hint(failure: Failure, part: FilePart) -> Failure:
    """The failure, with the format that the name of the file tells if that is another one."""
    named = format_of(part.path)
    if named in (None, "jsonl") or not failure.detail.startswith("expected JSON"):
        return failure
    hint = f"; if this is {named}, as its name says, set format: {named} for its input"
    return failure._replace(detail=failure.detail + hint)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(value[key]) for key in value}
    return value
