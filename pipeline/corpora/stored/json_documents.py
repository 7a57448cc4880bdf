"""JSON that is not lines: rows in an array, or objects printed over several lines -> one row each.

The values are found with the scanner of `json`, one after another, so that no more than one row and
a chunk are held. The rows are then parsed as lines are, by the same rules.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator

from pipeline.corpora.stored.broken_file import BrokenFileError

_LINE_START = re.compile(rb"\s*")
_ARRAY_OF_OBJECTS = re.compile(rb"\[\s*(?:\{|\]|\Z)")
_SPACE = re.compile(r"[ \t\r\n]*")
_CUT_ESCAPE = re.compile(r"\\?u?[0-9a-fA-F]*")
# A quote after a backslash begins no key. A search from each of them would be quadratic.
_WRAPPED = re.compile(rb'(?<!\\)"((?:[^"\\]|\\.)*)"\s*:\s*\[\s*\{')
_MOST_INDENT = 1_000  # characters before an object
_SHAPE_CHARACTERS = 10_000  # of a damaged object are looked at
_WRAPPED_BYTES = 64 << 10  # of a document are searched for the key that holds its rows

# Numbers are not converted: only the ends of values are of interest.
_STRICT = json.JSONDecoder(parse_int=str, parse_float=str)
LENIENT = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


def is_document(head: bytes) -> bool:
    """Whether rows are in an array or span lines, by the first bytes of a file in UTF-8."""
    head = head[_LINE_START.match(head).end() :]  # type: ignore[union-attr]  # matches anything
    if head.startswith(b"["):
        return _ARRAY_OF_OBJECTS.match(head) is not None
    line, feed, rest = head.partition(b"\n")
    if not line.startswith(b"{"):
        return False
    end = _end_of_value(line)
    if end is not None:
        return end >= 0 and line[end:].strip() == b"," and bool(feed)
    return bool(rest.strip()) and (_end_of_value(head) or 0) >= 0


def is_cut(line: bytes) -> bool:
    """Whether a line is the beginning of a JSON object: valid up to its end, but not complete."""
    return line.lstrip().startswith(b"{") and _end_of_value(line.lstrip(), strict=False) is None


def json_elements(chunks: Iterable[bytes], *, limit: int) -> Iterator[bytes]:
    """The values of a document: the elements of its arrays, and values outside of arrays.

    An element that is no JSON is given as it is, if the next one begins a line as the ones before
    it do.

    Args:
        chunks: the document in UTF-8; bytes that are not UTF-8 are kept.
        limit: the largest size of a value, in characters.

    Raises:
        BrokenFileError: if the rest is no JSON, or ends within a value or an array, after the
            values before it were yielded.
    """
    reader = _Text(chunks)
    rows = 0
    in_array = False
    while True:
        reader.skip_space()
        mark = reader.peek()
        if not mark:
            break
        if mark in "[]," and (mark != "[" or not in_array):
            if mark != "," and in_array != (mark == "]"):
                raise BrokenFileError(f"expected JSON, got {mark!r} after {rows} rows")
            in_array = in_array if mark == "," else mark == "["
            reader.take(1)
            continue
        try:
            value = reader.take(reader.value_size(limit))
            reader.note_shape(value)
            yield value
        except (ValueError, RecursionError) as error:
            # After the end of the file or the limit, every object would cost a search as long.
            searched = isinstance(error, json.JSONDecodeError | RecursionError)
            damaged = reader.take_to_next_object(limit) if searched else None
            if damaged is not None:
                yield damaged
                rows += 1
                continue
            raise BrokenFileError(
                f"expected JSON, got an error after {rows} rows: {error}; the rest of the file "
                "cannot be read"
            ) from error
        rows += 1
    if in_array:
        raise BrokenFileError(
            f"expected ']' at the end of a JSON array, got the end of the file after {rows} rows"
        )


def require_no_wrapping(only_row: bytes, *, text_column: str) -> None:
    """Refuses a document that holds its rows under a key; the row would be rejected as one row.

    Args:
        only_row: the only row of a file, or its first bytes if it is large.
        text_column: the column that a row has.

    Raises:
        BrokenFileError: naming the key.
    """
    head = only_row[:_WRAPPED_BYTES]
    wrapped = _WRAPPED.search(head)
    own = head[: wrapped.start()] if wrapped is not None else b""
    if wrapped is None or json.dumps(text_column).encode() + b":" in own.replace(b" ", b""):
        return
    try:
        value = json.loads(only_row)
    except ValueError:  # it was cut
        value = {}
    if not isinstance(value, dict) or text_column in value:
        return
    key = wrapped[1].decode("utf-8", "replace")
    raise BrokenFileError(
        f"expected one JSON object a line, got one object that holds rows as a list ({key!r}). "
        f"Take the list out, such as with: jq -c '.[\"{key}\"][]' FILE > FILE.jsonl"
    )


class _Text:
    """A document as text, of which the beginning is in memory."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._ended = False
        self._indent: str | None = None  # of the lines that objects begin; None if unknown
        # Whether lines within an object have more indent, or there are none; None if unknown.
        self._is_flat: bool | None = None

    def peek(self) -> str:
        """The next character; empty at the end."""
        return self._text[self._at : self._at + 1]

    def skip_space(self) -> None:
        space = ""
        while True:
            end = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            space = (space + self._text[self._at : end])[-_MOST_INDENT:]
            self._at = end
            if self._at < len(self._text) or not self._read(1):
                break
        if "\n" in space and self.peek() == "{":
            self._indent = space.rpartition("\n")[2]

    def take(self, size: int) -> bytes:
        taken = self._text[self._at : self._at + size]
        self._at += size
        return taken.encode("utf-8", "surrogateescape")

    def note_shape(self, value: bytes) -> None:
        """Notes whether a line within an object may look like the first line of one."""
        _, _, rest = value.partition(b"\n")
        indent = (self._indent or "").encode()
        self._is_flat = not rest or rest.startswith((indent + b" ", indent + b"\t"))

    def take_to_next_object(self, limit: int) -> bytes | None:
        """All up to the next line that an object begins; None if there is no such line.

        Args:
            limit: how many characters are searched at most.
        """
        if self._is_flat is None:  # the first object is damaged
            head = self._text[self._at : self._at + _SHAPE_CHARACTERS].encode("utf-8", "replace")
            line = head.partition(b"\n")[0].rstrip(b" \t\r,")
            self.note_shape(line if line.endswith(b"}") else head)
        if self._indent is None or not self._is_flat:
            return None
        next_object = re.compile(rf"\n{self._indent}(?=\{{)")
        while True:
            found = next_object.search(self._text, self._at)
            if found is not None:
                return self.take(found.end() - self._at).rstrip(b" \t\r\n,")
            held = len(self._text) - self._at
            if held > limit or self._ended:
                return None
            self._read(max(held, 1))

    def value_size(self, limit: int) -> int:
        """The number of characters of the value that comes next.

        Raises:
            ValueError: if it is no JSON, is not complete, or is larger than `limit`.
            RecursionError: if it is nested too deeply.
        """
        while True:
            try:
                value, end = LENIENT.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not _is_cut(error, self._text):
                    raise
                if self._ended:
                    raise ValueError("the end of the file") from error
            else:
                # A number may go on in the next chunk.
                if end < len(self._text) or self._ended or isinstance(value, dict | list):
                    return end - self._at
            held = len(self._text) - self._at
            if held > limit:
                raise ValueError(f"a row of more than {limit} bytes")
            self._read(max(held, 1))  # twice as much each time, as the value is scanned again

    def _read(self, size: int) -> bool:
        """Reads at least `size` more characters; false if there is nothing more."""
        pieces = [self._text[self._at :]]
        self._at = 0
        while size > 0 and not self._ended:
            chunk = next(self._chunks, None)
            self._ended = chunk is None
            pieces.append(self._decoder.decode(chunk or b"", self._ended))
            size -= len(pieces[-1])
        self._text = "".join(pieces)
        return not self._ended or len(pieces[-1]) > 0


def _end_of_value(data: bytes, *, strict: bool = True) -> int | None:
    """Where the first value ends; -1 if it is no JSON, None if it goes on after the data."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        _, end = (_STRICT if strict else LENIENT).raw_decode(text)
    except json.JSONDecodeError as error:
        return None if _is_cut(error, text) else -1
    except RecursionError:
        return -1
    return len(text[:end].encode("utf-8", "surrogateescape"))


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Whether the text ends before the value does, and is JSON up to there."""
    rest = text[error.pos :]
    if not rest.strip() or error.msg.startswith("Unterminated string"):
        return True
    if error.msg.startswith("Invalid \\"):
        return _CUT_ESCAPE.fullmatch(rest) is not None
    literals = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
    return any(literal.startswith(rest) for literal in literals)
