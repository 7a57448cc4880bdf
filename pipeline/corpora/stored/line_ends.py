r"""Carriage returns that end lines become line feeds: some programs end lines with `\r` alone."""

import re
from collections.abc import Iterable, Iterator

# Between two objects. JSON has no carriage return within a string but escaped, and readers are
# lenient there; one between two tokens of an object is white space.
_BETWEEN_OBJECTS = re.compile(rb"(\}[ \t]*)\r[ \t\r]*(?=\{)")

_MOST_HELD = 1 << 16  # of white space behind an object, between two chunks
_MOST_RETURNS = 16


def with_line_feeds(chunks: Iterable[bytes], *, json: bool) -> Iterator[bytes]:
    r"""The chunks with `\n` in place of each `\r` that ends a line.

    Args:
        chunks: text in UTF-8; if `json` is false, every `\r` ends a line, also one before `\n`.
        json: whether the lines are JSON objects; only a `\r` between two of them ends a line then.
    """
    held = b""  # the end of a chunk, whose meaning depends on the next chunk
    for chunk in chunks:
        chunk = held + chunk
        held = b""
        if json:
            end = len(chunk.rstrip(b" \t\r")) - 1
            if chunk[end : end + 1] == b"}" and len(chunk) - end < _MOST_HELD:
                chunk, held = chunk[:end], chunk[end:]
            if b"\r" in chunk and chunk.count(b"\r") > chunk.count(b"\r\n"):
                chunk = _BETWEEN_OBJECTS.sub(rb"\1\n", chunk)
        elif b"\r" in chunk:
            if chunk.endswith(b"\r"):
                end = max(len(chunk.rstrip(b"\r")), len(chunk) - _MOST_RETURNS)
                chunk, held = chunk[:end], chunk[end:]
            chunk = chunk.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if chunk:
            yield chunk
    if held:
        yield held if json else held.replace(b"\r", b"\n")
