"""JSON objects that stand in one line, as Kinesis Firehose writes them -> one object a line."""

import json
import re
from collections.abc import Iterable, Iterator

import orjson

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.json_documents import LENIENT

# This may stand between two objects, or within a string.
_JOINT = re.compile(rb"\}[ \t]*\{")
_BLANKS = re.compile(r"[ \t]*")
# What a line may have before its first object: byte order marks of joined files, zeros, blanks.
_BEFORE = re.compile("[\ufeff\0 \t\r]*")
_OBJECT_BEGINS = re.compile(rb"(?:\xef\xbb\xbf|[\0 \t\r])*\{")
_HEAD_BYTES = 1_000  # of a line tell whether it begins with an object
_SCANNED_BYTES = 1 << 20
_HELD_BYTES = 16 << 20  # a larger object is not parted from those behind it


def with_objects_apart(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""The content in other chunks, with `\n` between two objects of one line.

    A line is divided behind each of its objects, up to the first that is no JSON; from there on it
    is not divided. At most `_HELD_BYTES` of a line are held.

    Args:
        chunks: JSON in UTF-8, from the begin of a line on.

    Raises:
        BrokenFileError: if `chunks` raises it, after all before it was yielded.
    """
    line = _OpenLine()
    try:
        for chunk in chunks:
            end = chunk.rfind(b"\n") + 1
            if end:
                yield _with_lines_divided(line.take() + chunk[:end])
                line = _OpenLine()
            yield from line.add(chunk[end:])
    except BrokenFileError:
        yield _with_lines_divided(line.take())
        raise
    yield _with_lines_divided(line.take())


class _OpenLine:
    """The begin of a line whose end has not been read."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._enough = _HEAD_BYTES  # look at the line when it has so many bytes
        self._passes = False  # the line is given as it comes

    def take(self) -> bytes:
        """What was added and not yet given."""
        return b"".join(self._pieces)

    def add(self, piece: bytes) -> Iterator[bytes]:
        """Adds bytes; yields those that stay as they are."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size < self._enough and not self._passes:
            return
        divided, rest = b"", self.take()
        self._passes = self._passes or _OBJECT_BEGINS.match(rest) is None
        if not self._passes:
            if _JOINT.search(rest) is not None:
                divided, rest = _divide(rest)
            # Twice as much each time, because the rest is scanned again.
            self._enough = max(2 * len(rest), _SCANNED_BYTES)
            self._passes = len(rest) > _HELD_BYTES
        if self._passes:
            divided, rest = divided + rest, b""
        self._pieces, self._size = [rest], len(rest)
        if divided:
            yield divided


def _with_lines_divided(lines: bytes) -> bytes:
    if _JOINT.search(lines) is None:
        return lines
    return b"\n".join(map(_with_objects_divided, lines.split(b"\n")))


def _with_objects_divided(line: bytes) -> bytes:
    if _JOINT.search(line) is None or _OBJECT_BEGINS.match(line) is None:
        return line
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return b"".join(_divide(line))
    return line  # the most usual: braces within a string


def _divide(line: bytes) -> tuple[bytes, bytes]:
    """The objects that another one follows, a line each, and the rest of the line."""
    text = line.decode("utf-8", "surrogateescape")
    objects = []
    begin = 0
    at = _BEFORE.match(text).end()  # type: ignore[union-attr]  # matches anything
    while True:
        try:
            _, end = LENIENT.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            break
        at = _BLANKS.match(text, end).end()  # type: ignore[union-attr]  # matches anything
        if text[at : at + 1] != "{":
            break
        objects.append(text[begin:at])
        begin = at
    divided = "".join(f"{each}\n" for each in objects)
    return divided.encode("utf-8", "surrogateescape"), text[begin:].encode(
        "utf-8", "surrogateescape"
    )
