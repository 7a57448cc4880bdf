"""The bytes of a CSV file -> blocks of its lines, as text."""

import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.schemas import RAW_BYTES

# A few kilobytes may decompress to billions of blank lines, which are then not split one by one.
MANY_LINES = 1_000

_BLANK_RUNS = re.compile(rb"((?:\n){%d,}|(?:\r\n){%d,})" % (MANY_LINES, MANY_LINES))


class CutLine(str):
    """The first bytes of a line that is longer than the limit.

    Attributes:
        odd_quotes: whether the whole line has an odd number of quotes, so that a field that is open
            before it is closed after it, or the reverse.
    """

    __slots__ = ("odd_quotes",)
    odd_quotes: bool


class LineBlock(NamedTuple):
    r"""Consecutive lines, each with its line end (`\n`, `\r\n` or `\r`).

    Attributes:
        lines: the lines. A `CutLine` is alone in its block.
        plain: whether the lines have neither a quote nor an escape, so that each is one record.
        undecodable: whether some lines are not UTF-8; their bytes are surrogates then.
        blank: whether nothing is in the lines, of which there are more than `MANY_LINES`.
    """

    lines: list[str]
    plain: bool
    undecodable: bool = False
    blank: bool = False


def csv_lines(
    chunks: Iterable[bytes], *, quote: str | None, escape: str | None, limit: int
) -> Iterator[LineBlock]:
    """Blocks of about one chunk; no more is held than a chunk and a line.

    Args:
        chunks: the content, in UTF-8.
        quote: the quote character, if any.
        escape: the escape character, if any.
        limit: the largest size of a line in bytes; a longer one becomes a `CutLine`.

    Raises:
        BrokenFileError: if `chunks` raises it; the lines before the damage are yielded first.
    """
    special = [mark for mark in (quote, escape) if mark is not None]
    line = _OpenLine(quote)
    for chunk in _without_last_return(chunks):
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if not end:
            line.add(chunk, limit=limit)
            continue
        begin = 0
        if line.size > limit:
            begin = _first_line_end(chunk)
            line.add(chunk[:begin], limit=limit)
            yield line.cut()
        else:
            chunk, end = line.content + chunk, line.size + end
        if begin < end:
            yield from _blocks(chunk[begin:end], special, limit=limit, quote=quote)
        line = _OpenLine(quote)
        line.add(chunk[end:], limit=limit)
    if line.size > limit:
        yield line.cut()
    elif line.size:
        yield from _blocks(line.content, special, limit=limit, quote=quote)


def _without_last_return(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes; a carriage return at the end of a chunk comes with the next chunk.

    It may belong to a line feed there.
    """
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") else b""
        yield chunk.removesuffix(held)
    if held:
        yield held


class _OpenLine:
    """The begin of a line whose end has not been read."""

    def __init__(self, quote: str | None) -> None:
        self._quote = quote and quote.encode()
        self._pieces: list[bytes] = []
        self._quotes = 0
        self.size = 0

    def add(self, piece: bytes, *, limit: int) -> None:
        if self.size <= limit:
            self._pieces.append(piece)
        elif self._quote:
            self._quotes += piece.count(self._quote)
        self.size += len(piece)

    @property
    def content(self) -> bytes:
        return b"".join(self._pieces)

    def cut(self) -> LineBlock:
        content = self.content
        if self._quote:
            self._quotes += content.count(self._quote)
        return _cut_block(content, odd_quotes=self._quotes % 2 == 1)


def _first_line_end(chunk: bytes) -> int:
    """The index behind the first line end."""
    found = [at + 1 for mark in (b"\r\n", b"\n", b"\r") if (at := chunk.find(mark)) >= 0]
    end = min(found)
    return end + (chunk[end - 1 : end + 1] == b"\r\n")


def _cut_block(content: bytes, *, odd_quotes: bool) -> LineBlock:
    line = CutLine(content[:RAW_BYTES].decode("utf-8", "surrogateescape"))
    line.odd_quotes = odd_quotes
    return LineBlock([line], plain=False)


def _blocks(
    content: bytes, special: list[str], *, limit: int, quote: str | None
) -> Iterator[LineBlock]:
    if b"\n" * MANY_LINES not in content and b"\r\n" * MANY_LINES not in content:
        yield from _split(content, special, limit=limit, quote=quote)
        return
    for at, piece in enumerate(_BLANK_RUNS.split(content)):
        if at % 2 == 0:
            if piece:
                yield from _split(piece, special, limit=limit, quote=quote)
        elif piece.startswith(b"\r"):
            yield LineBlock(["\r\n"] * (len(piece) // 2), plain=True, blank=True)
        else:
            yield LineBlock(["\n"] * len(piece), plain=True, blank=True)


def _split(
    content: bytes, special: list[str], *, limit: int, quote: str | None
) -> Iterator[LineBlock]:
    undecodable = False
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("utf-8", "surrogateescape")
        undecodable = True
    plain = not any(mark in text for mark in special)
    # `str.splitlines` would also split at characters such as U+2028.
    lines = list(io.StringIO(text, newline=""))
    if len(content) <= limit:
        yield LineBlock(lines, plain, undecodable)
        return
    held: list[str] = []
    for line in lines:
        if 4 * len(line) > limit and len(line.encode("utf-8", "surrogateescape")) > limit:
            if held:
                yield LineBlock(held, plain, undecodable)
                held = []
            odd = quote is not None and line.count(quote) % 2 == 1
            yield _cut_block(line.encode("utf-8", "surrogateescape"), odd_quotes=odd)
        else:
            held.append(line)
    if held:
        yield LineBlock(held, plain, undecodable)
