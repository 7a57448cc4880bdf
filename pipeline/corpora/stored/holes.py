"""Holes: many zero bytes in a row, such as a crash of a machine leaves in files."""

import re
from collections.abc import Iterable, Iterator

from pipeline.corpora.stored.broken_file import BrokenFileError

HOLE_BYTES = 16
HOLE = bytes(HOLE_BYTES)

_HOLES = re.compile(rb"\0{%d,}" % HOLE_BYTES)
_AT_FIRST_LINE = re.compile(rb"(?:\A|(?<=\n))\0{%d,}(?![\0\r\n])" % HOLE_BYTES)
_AT_LINE = re.compile(rb"(?<=\n)\0{%d,}(?![\0\r\n])" % HOLE_BYTES)


def without_holes(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks without the holes that begin a line; other holes stay in their line.

    A hole that is a whole line stays, too: it has taken the place of a row.

    Args:
        chunks: text in UTF-8 that begins where a line does.

    Raises:
        BrokenFileError: at the end, if there was a hole. It may have taken the place of any number
            of rows.
    """
    found = dropping = False
    line_start = True
    held = b""  # zero bytes at the end of a chunk: too few for a hole, if no more follow
    for chunk in chunks:
        chunk = held + chunk
        held = b""
        if dropping:
            chunk = chunk.lstrip(b"\0")
            dropping = not chunk
            if chunk.startswith((b"\r", b"\n")):
                chunk = bytes(HOLE_BYTES) + chunk
        if b"\0" in chunk:
            zeros = len(chunk) - len(chunk.rstrip(b"\0"))
            if 0 < zeros < HOLE_BYTES:
                chunk, held = chunk[:-zeros], chunk[-zeros:]
            found = found or _HOLES.search(chunk) is not None
            whole = chunk
            chunk = (_AT_FIRST_LINE if line_start else _AT_LINE).sub(b"", whole)
            dropping = whole.endswith(b"\0") and (not chunk or chunk.endswith(b"\n"))
        if chunk:
            line_start = chunk.endswith(b"\n")
            yield chunk
    if held:
        yield held
    if found:
        yield b"\n\n"  # the last line, or record of lines, is whole
        raise BrokenFileError(
            f"expected text, got {HOLE_BYTES} or more zero bytes in a row: rows may be missing"
        )


def longest_between_holes(data: bytes) -> bytes:
    """The longest piece of the bytes without a hole, from a multiple of four bytes on.

    In text of more than one byte a character, the zero bytes that belong to the first or the last
    character may be missing otherwise.
    """
    bounds = [0, *(at for hole in _HOLES.finditer(data) for at in hole.span()), len(data)]
    pieces = zip(bounds[::2], bounds[1::2], strict=True)
    start, end = max(pieces, key=_length)
    return data[start - start % 4 : end]


def joined_over_holes(data: bytes) -> bytes:
    """The bytes without their holes."""
    return _HOLES.sub(b"", data)


def _length(piece: tuple[int, int]) -> int:
    return piece[1] - piece[0]
