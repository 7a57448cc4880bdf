"""The bytes of a file as chunks, lines and batches of rows.

No function holds more of a file than one chunk and one line.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import BinaryIO, TypeVar

from pipeline.corpora.reading.compression import compression_of, decompressed_chunks
from pipeline.corpora.reading.failures import BrokenFileError
from pipeline.corpora.reading.parts import FilePart

CHUNK_BYTES = 1 << 20
BATCH_BYTES = 8 << 20
_LINE_BYTES = 64 << 20

ItemT = TypeVar("ItemT")

_UTF_8 = ("utf-8", "utf-8-sig")


def ends_lines_with_a_byte(encoding: str) -> bool:
    """Whether each byte 0x0A ends a line and nothing else does; false for UTF-16 and UTF-32."""
    return codecs.lookup(encoding).name in _UTF_8 or "\n".encode(encoding) == b"\n"


def stored_chunks(stream: BinaryIO, path: str) -> Iterator[bytes]:
    """The content of a file, decompressed if the suffix of `path` names a compression.

    Raises:
        BrokenFileError: if the compressed data are damaged or end too early, after everything that
            could be decompressed was yielded.
    """
    suffix = compression_of(path)
    if suffix is not None:
        yield from decompressed_chunks(stream, suffix)
        return
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def text_chunks(stream: BinaryIO, part: FilePart) -> Iterator[bytes]:
    """The lines that start in the part, in UTF-8 and without a leading byte order mark.

    For every encoding, bytes that do not decode are invalid UTF-8 in the result, so that decoding
    the row as UTF-8 finds them.

    Raises:
        BrokenFileError: see `stored_chunks`.
    """
    if part.start == 0 and part.end is None:
        chunks = stored_chunks(stream, part.path)
    else:
        chunks = _line_range(stream, part.start, part.end)
    encoding = codecs.lookup(part.input.encoding).name
    if encoding not in _UTF_8:
        chunks = _transcoded(chunks, encoding)
    return _without_bom(chunks) if part.start == 0 else chunks


def line_blocks(chunks: Iterable[bytes], *, limit: int = _LINE_BYTES) -> Iterator[list[bytes]]:
    """Blocks of lines without their line feed; a carriage return before it is kept.

    A line of more than `limit` bytes is cut to its first `limit + 1`; `limit` is at least
    `CHUNK_BYTES`. The last line needs no line feed.

    Raises:
        BrokenFileError: if `chunks` raises it; the incomplete line before the damage is no row.
    """
    line: list[bytes] = []  # the pieces of a line that is not yet complete
    size = 0
    for chunk in chunks:
        lines = chunk.split(b"\n")
        if size <= limit:
            line.append(lines[0][: limit + 1 - size])
            size += len(line[-1])
        if len(lines) == 1:
            continue
        lines[0] = b"".join(line)
        last = lines.pop()[: limit + 1]
        line, size = [last], len(last)
        if len(max(lines, key=len)) > limit:
            lines = [each[: limit + 1] for each in lines]
        yield lines
    if size:
        yield [b"".join(line)]


def without_blanks(lines: list[bytes]) -> list[bytes]:
    """The lines that are not blank. A blank line is white space only, of at most `CHUNK_BYTES`."""
    # A longer line may have been cut, so text may follow the white space.
    return [line for line in lines if line and not (line.isspace() and len(line) <= CHUNK_BYTES)]


def batches(
    items: Iterable[ItemT], *, batch_rows: int, size: Callable[[ItemT], int]
) -> Iterator[list[ItemT]]:
    """Items in batches of at most `batch_rows` items and little more than `BATCH_BYTES` bytes.

    Raises:
        BrokenFileError: if `items` raises it; the items before it are yielded first.
    """
    batch: list[ItemT] = []
    batch_bytes = 0
    try:
        for item in items:
            batch.append(item)
            batch_bytes += size(item)
            if len(batch) >= batch_rows or batch_bytes >= BATCH_BYTES:
                yield batch
                batch, batch_bytes = [], 0
    except BrokenFileError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _line_range(stream: BinaryIO, start: int, end: int | None) -> Iterator[bytes]:
    """The bytes of the lines that start in `[start, end)`."""
    position, chunk = start, b""
    if start > 0:
        # A line starts at `start` itself if the byte before it is a line feed.
        position -= 1
        stream.seek(position)
        feed = -1
        while feed < 0:
            chunk = stream.read(CHUNK_BYTES)
            if not chunk:
                return
            feed = chunk.find(b"\n")
            position += len(chunk) if feed < 0 else feed + 1
        chunk = chunk[feed + 1 :]
    if end is not None and position >= end:
        return
    chunk = chunk or stream.read(CHUNK_BYTES)
    while chunk:
        if end is not None and position + len(chunk) >= end:
            feed = chunk.find(b"\n", max(end - 1 - position, 0))
            if feed >= 0:
                yield chunk[: feed + 1]
                return
        yield chunk
        position += len(chunk)
        chunk = stream.read(CHUNK_BYTES)


def _transcoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Text of any encoding, converted to UTF-8; bytes that do not decode become invalid UTF-8.

    Raises:
        BrokenFileError: if nothing can be decoded, such as UTF-16 without a byte order mark.
    """
    decoder = codecs.getincrementaldecoder(encoding)(_MARK)
    for chunk, final in chain(zip(chunks, repeat(False)), [(b"", True)]):
        try:
            text = decoder.decode(chunk, final)
        except UnicodeError as error:
            raise BrokenFileError(f"expected {encoding} text, got none: {error}") from error
        yield text.encode("utf-8", _MARK)


def _without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    head = b""
    begun = False
    for chunk in chunks:
        if begun:
            yield chunk
            continue
        head += chunk
        if len(head) >= len(codecs.BOM_UTF8):
            begun = True
            yield head.removeprefix(codecs.BOM_UTF8)
    if not begun:
        yield head


def _mark(error: UnicodeError) -> tuple[str | bytes, int]:
    """Error handler of `codecs`: bytes that do not decode become 0xFF, which UTF-8 never has."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):  # "\udcff", or a surrogate that was encoded
        return b"\xff" * (error.end - error.start), error.end
    raise error


_MARK = "limelight.mark_undecodable"
codecs.register_error(_MARK, _mark)
