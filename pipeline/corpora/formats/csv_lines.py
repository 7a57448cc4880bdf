"""The bytes of a CSV file -> blocks of its lines, as text."""

import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.corpora.stored.holes import HOLE
from pipeline.schemas import RAW_BYTES

# A few kilobytes may decompress to billions of blank lines, which are then not split one by one.
MANY_LINES = 1_000

_BLANK_RUNS = re.compile(rb"((?:\n){%d,}|(?:\r\n){%d,})" % (MANY_LINES, MANY_LINES))

_LINE_END = re.compile(rb"\r*\n|\r+")
_LONE_RETURNS = re.compile(r"(?<!\r)(?>\r+)(?!\n)")
_FEW_RETURNS = 9  # in a line are no line ends of an old Macintosh

# Stands for a carriage return that is content: the `csv` module takes it for the end of a line. No
# text in UTF-8 has this character.
RETURN = "\udc0d"


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
        returns: whether `RETURN` stands for a carriage return within some lines.
        holes: whether some lines have a hole.
        blank: whether nothing is in the lines, of which there are more than `MANY_LINES`.
    """

    lines: list[str]
    plain: bool
    undecodable: bool = False
    blank: bool = False
    returns: bool = False
    holes: bool = False


def csv_lines(
    chunks: Iterable[bytes], *, delimiter: str, quote: str | None, escape: str | None, limit: int
) -> Iterator[LineBlock]:
    r"""Blocks of about one chunk; no more is held than a chunk and a line.

    A `\r` alone ends a line if it ends the first one. Otherwise it is content, unless ten or more
    divide a line into pieces that have the same number of delimiters.

    Args:
        chunks: the content, in UTF-8.
        delimiter: the delimiter.
        quote: the quote character, if any.
        escape: the escape character, if any.
        limit: the largest size of a line in bytes; a longer one becomes a `CutLine`.

    Raises:
        BrokenFileError: if `chunks` raises it; the lines before the damage are yielded first.
    """
    split = _Splitter(delimiter=delimiter, quote=quote, escape=escape, limit=limit)
    line = _OpenLine(quote)
    for chunk in _without_last_returns(chunks):
        split.note_line_end(chunk)
        end = chunk.rfind(b"\n") + 1
        if split.return_ends_line:
            end = max(end, chunk.rfind(b"\r") + 1)
        if not end:
            line.add(chunk, limit=limit)
            continue
        begin = 0
        if line.size > limit:
            begin = _first_line_end(chunk, split.return_ends_line)
            line.add(chunk[:begin], limit=limit)
            yield line.cut()
        else:
            chunk, end = line.content + chunk, line.size + end
        if begin < end:
            yield from _blocks(chunk[begin:end], split)
        line = _OpenLine(quote)
        line.add(chunk[end:], limit=limit)
    if line.size > limit:
        yield line.cut()
    elif line.size:
        yield from _blocks(line.content, split)


def _without_last_returns(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes; carriage returns at the end of a chunk come with the next chunk.

    They may belong to a line feed there.
    """
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b""
        if chunk.endswith(b"\r"):
            content = chunk.rstrip(b"\r")
            held = chunk[max(len(content), len(chunk) - MANY_LINES) :]
            chunk = chunk[: len(chunk) - len(held)]
        if chunk:
            yield chunk
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


def _first_line_end(chunk: bytes, return_ends_line: bool) -> int:
    """The index behind the first line end."""
    marks = (b"\r\n", b"\n", b"\r") if return_ends_line else (b"\n",)
    found = [at + 1 for mark in marks if (at := chunk.find(mark)) >= 0]
    end = min(found)
    return end + (chunk[end - 1 : end + 1] == b"\r\n")


def _cut_block(content: bytes, *, odd_quotes: bool) -> LineBlock:
    line = CutLine(content[:RAW_BYTES].decode("utf-8", "surrogateescape"))
    line.odd_quotes = odd_quotes
    return LineBlock([line], plain=False)


class _Splitter:
    """Complete lines, or the last one -> blocks.

    Attributes:
        return_ends_line: whether a carriage return alone ends a line; before `note_line_end` has
            seen the end of the first line, it does not.
    """

    def __init__(
        self, *, delimiter: str, quote: str | None, escape: str | None, limit: int
    ) -> None:
        self._special = [mark for mark in (quote, escape) if mark is not None]
        self._delimiter = delimiter
        self._quote = quote
        self._limit = limit
        self._first_ended = self.return_ends_line = False

    def note_line_end(self, chunk: bytes) -> None:
        """Looks for the end of the first line."""
        if not self._first_ended and (found := _LINE_END.search(chunk)) is not None:
            self._first_ended = True
            self.return_ends_line = not found[0].endswith(b"\n")

    def blocks(self, content: bytes) -> Iterator[LineBlock]:
        undecodable = False
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("utf-8", "surrogateescape")
            undecodable = True
        returns = False
        if not self.return_ends_line and b"\r" in content:
            returns = content.count(b"\r") > content.count(b"\r\n")
            text = self._with_returns_marked(text) if returns else text
        plain = not any(mark in text for mark in self._special)
        # `str.splitlines` would also split at characters such as U+2028.
        lines = list(io.StringIO(text, newline=""))
        block = LineBlock(
            lines, plain, undecodable, returns=returns, holes=0 in content and HOLE in content
        )
        if len(content) <= self._limit:
            yield block
        else:
            yield from self._cut(block)

    def _cut(self, block: LineBlock) -> Iterator[LineBlock]:
        held: list[str] = []
        for line in block.lines:
            if 4 * len(line) > self._limit:
                stored = line.replace(RETURN, "\r").encode("utf-8", "surrogateescape")
                if len(stored) > self._limit:
                    if held:
                        yield block._replace(lines=held)
                        held = []
                    odd = self._quote is not None and line.count(self._quote) % 2 == 1
                    yield _cut_block(stored, odd_quotes=odd)
                    continue
            held.append(line)
        if held:
            yield block._replace(lines=held)

    def _with_returns_marked(self, text: str) -> str:
        return "\n".join(
            line
            if "\r" not in line or self._are_lines(line.split("\r"))
            else _LONE_RETURNS.sub(_mark_returns, line + "\n")[:-1]
            for line in text.split("\n")
        )

    def _are_lines(self, pieces: list[str]) -> bool:
        if len(pieces) <= _FEW_RETURNS:
            return False
        counts = {piece.count(self._delimiter) for piece in pieces if piece.strip()}
        return len(counts) == 1 and 0 not in counts


def _mark_returns(found: re.Match[str]) -> str:
    return RETURN * len(found[0])


def _blocks(content: bytes, split: _Splitter) -> Iterator[LineBlock]:
    if b"\n" * MANY_LINES not in content and b"\r\n" * MANY_LINES not in content:
        yield from split.blocks(content)
        return
    for at, piece in enumerate(_BLANK_RUNS.split(content)):
        if at % 2 == 0:
            if piece:
                yield from split.blocks(piece)
        elif piece.startswith(b"\r"):
            yield LineBlock(["\r\n"] * (len(piece) // 2), plain=True, blank=True)
        else:
            yield LineBlock(["\n"] * len(piece), plain=True, blank=True)
