"""JSON lines -> raw rows: each line is one object."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, NoReturn

import orjson

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.decoding import decode
from pipeline.corpora.reading.failures import Failure, RowError, describe, too_large
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.raw_rows import RawRows, mapping_rows
from pipeline.corpora.reading.streams import batches, line_blocks, text_chunks, without_blanks

# orjson refuses these and Limelight accepts them: the escape of a surrogate without the other half
# of its pair, and control characters in a string that are not escaped.
_LENIENT = re.compile(r"\\u[dD][89a-fA-F]|[\x00-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_jsonl(
    stream: BinaryIO, part: FilePart, *, columns: ColumnsConfig, limit: int, batch_rows: int
) -> Iterator[RawRows]:
    """Reads the rows of a part; blank lines are not rows.

    The escape of a lone surrogate in a string becomes U+FFFD. A line of more than `limit`
    bytes fails as `text_too_large`.
    """
    blocks = line_blocks(text_chunks(stream, part), limit=limit)
    lines = chain.from_iterable(map(without_blanks, blocks))
    for batch in batches(lines, batch_rows=batch_rows, size=len):
        yield _parse_lines(batch, part, columns=columns, limit=limit)


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
                failures[index] = error.failure
                value, was_repaired = {}, False
            values.append(value)
            if was_repaired:
                repaired.add(index)
    for index, value in enumerate(values):
        if type(value) is not dict:
            detail = f"expected a JSON object, got {describe(value)}"
            failures[index] = Failure("malformed_row", detail)
            values[index] = {}
    return mapping_rows(
        values,
        columns=columns,
        raw=lines.__getitem__,
        failures=failures,
        repaired=frozenset(repaired),
    )


def _parse_line(line: bytes, part: FilePart, *, limit: int) -> tuple[Any, bool]:
    """The value of a line that may be damaged, and whether U+FFFD replaces a part of it."""
    if len(line) > limit:
        raise RowError(*too_large(limit))
    text, replaced = decode(line, name=part.input.encoding, errors=part.input.errors)
    text = text.removeprefix("\ufeff")  # a byte order mark, from files that were concatenated
    try:
        return orjson.loads(text), replaced
    except orjson.JSONDecodeError as error:
        refused = error
    try:
        if _LENIENT.search(text) is None:
            raise refused
        value = json.loads(text, strict=False, parse_constant=_refuse_constant)
        whole = _without_surrogates(value)
        return whole, replaced or whole != value
    except json.JSONDecodeError as error:
        raise RowError(
            "malformed_row", f"expected JSON, got an error at character {error.pos}: {error.msg}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise RowError("malformed_row", f"expected JSON, got {error}") from None


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(value[key]) for key in value}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is not JSON")
