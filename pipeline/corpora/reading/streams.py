"""The bytes of a file as chunks, lines and batches of rows.

No function holds more of a file than one chunk and one line.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO, TypeVar

from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.decompression import COMPRESSED_BYTES, decompressed_chunks
from pipeline.corpora.stored.holes import joined_over_holes, without_holes
from pipeline.corpora.stored.joined_objects import with_objects_apart
from pipeline.corpora.stored.json_documents import is_document
from pipeline.corpora.stored.kinds import (
    HEAD_BYTES,
    Compression,
    begins_compression,
    compression_in,
    named_compression,
    require_known_kind,
)
from pipeline.corpora.stored.line_ends import with_line_feeds
from pipeline.corpora.stored.record_framing import begins_record
from pipeline.corpora.stored.text_heads import UTF_8, has_controls, require_text
from pipeline.corpora.stored.wide_text import without_wide_text

CHUNK_BYTES = 1 << 20
BATCH_BYTES = 8 << 20
_LINE_BYTES = 64 << 20

# A few kilobytes may decompress to billions of blank lines. Two line feeds mean as much as more do.
_MANY_FEEDS = b"\n" * 16
_FEEDS = re.compile(rb"\n{3,}")

# By encoding: how many bytes a unit has.
_WIDE = {"utf-16": 2, "utf-32": 4}
# By the size of the unit, what is in no text, but where units begin at a wrong byte or their bytes
# are in the other order: a line feed becomes U+0A00, a byte order mark U+FFFE, and most
# characters of UTF-32 no character at all.
_SHIFTED = {2: re.compile("[\u0a00\ufffe]"), 4: re.compile("[\u0a00\ufffe\udcff]")}

ItemT = TypeVar("ItemT")


def ends_lines_with_a_byte(encoding: str) -> bool:
    """Whether each byte 0x0A ends a line and nothing else does; false for UTF-16 and UTF-32."""
    return codecs.lookup(encoding).name in UTF_8 or "\n".encode(encoding) == b"\n"


def stored_chunks(stream: BinaryIO, part: FilePart) -> Iterator[bytes]:
    """The content of a file, decompressed if its first bytes are those of a compressed file.

    Raises:
        BrokenFileError: if the file is of a kind that is not read, or if the compressed data are
            damaged, end too early, or have more content than the part allows, after everything
            that could be decompressed was yielded.
    """
    head = read_head(stream)
    kind = compression_of(head, part)
    if kind is not None:
        stored = chain(_pieces(head, COMPRESSED_BYTES), _reads(stream, COMPRESSED_BYTES))
        content = decompressed_chunks(stored, kind, limit=part.max_decompressed_bytes)
        head, content = with_head(content, HEAD_BYTES)
        within = compression_in(head)
        if within is not None:
            raise BrokenFileError(
                f"expected {part.input.format}, got {within} data within {kind} data. Decompress "
                "the file once."
            )
        yield from content
    elif head:
        yield head
        yield from _reads(stream, CHUNK_BYTES)


def read_head(stream: BinaryIO) -> bytes:
    """The first `HEAD_BYTES` of a file, or all that it has."""
    head, _ = with_head(_reads(stream, HEAD_BYTES), HEAD_BYTES)
    return head


def with_head(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first chunks, until they have `size` bytes, and all chunks, with these again.

    Damage that is met here is raised by the iterator that is returned, after the first chunks.
    """
    held: list[bytes] = []
    broken: BrokenFileError | None = None
    try:
        while size > 0 and (chunk := next(chunks, None)) is not None:
            held.append(chunk)
            size -= len(chunk)
    except BrokenFileError as error:
        broken = error
    head = b"".join(held)

    def again() -> Iterator[bytes]:
        if head:
            yield head
        if broken is not None:
            raise broken
        yield from chunks

    return head, again()


def compression_of(head: bytes, part: FilePart) -> Compression | None:
    """The compression of a file by its first bytes; None if it is not compressed.

    A file whose name promises a compression, and whose first bytes are neither compressed nor text,
    is taken to be damaged in its first bytes.

    Raises:
        BrokenFileError: if the file is of a kind that is not read.
    """
    if part.input.format == "tfrecord" and begins_record(head):
        return None
    found, named = compression_in(head), named_compression(part.path)
    if found is not None:
        return found
    require_known_kind(head, expected=part.input.format)
    if named is None or not head or begins_compression(head, named):
        return named
    return named if part.input.format == "tfrecord" or has_controls(head) else None


def text_chunks(stream: BinaryIO, part: FilePart) -> Iterator[bytes]:
    """The lines that start in the part, in UTF-8 and without a leading byte order mark.

    For every encoding, bytes that do not decode are invalid UTF-8 in the result, so that decoding
    the row as UTF-8 finds them. In formats of lines a carriage return ends a line, too; one within
    a line of JSON does not. JSON objects that stand in one line are in a line each.

    Raises:
        BrokenFileError: see `stored_chunks`; or if the content cannot be text in the encoding of
            the input, or has a hole: many zero bytes in a row.
    """
    if part.start == 0 and part.end is None:
        chunks = stored_chunks(stream, part)
    else:
        chunks = _line_range(stream, part.start, part.end)
    if part.start == 0:
        chunks = _checked_text(chunks, part)
    encoding = codecs.lookup(part.input.encoding).name
    if encoding not in UTF_8:
        chunks = _transcoded(chunks, encoding)
    if not encoding.startswith(("utf-16", "utf-32")):
        chunks = without_wide_text(chunks, encoding=part.input.encoding)
    chunks = without_holes(_without_end_mark(chunks))
    if part.start == 0:
        chunks = _without_bom(chunks)
    if part.input.format == "jsonl":
        return with_objects_apart(with_line_feeds(chunks, json=True))
    if part.reads_lines or part.input.format == "semeval":
        return with_line_feeds(chunks, json=False)
    return chunks


def is_divisible(head: bytes, part: FilePart) -> bool:
    """Whether a file of lines can be divided at its line feeds.

    Args:
        head: the first bytes of the file.
        part: the whole file.
    """
    try:
        if compression_of(head, part) is not None:
            return False
        require_text(head, encoding=part.input.encoding)
    except BrokenFileError:  # reported when the file is read
        return False
    # Read as `text_chunks` does: first the holes are left out, then the byte order mark.
    text = joined_over_holes(head).removeprefix(codecs.BOM_UTF8)
    return part.input.format != "jsonl" or not is_document(text)


def line_blocks(chunks: Iterable[bytes], *, limit: int = _LINE_BYTES) -> Iterator[list[bytes]]:
    """Blocks of lines without their line feed; a carriage return before it is kept.

    Of many blank lines in a row, one or two are given.

    A line of more than `limit` bytes is cut to its first `limit + 1`; `limit` is at least
    `CHUNK_BYTES`. The last line needs no line feed.

    Raises:
        BrokenFileError: if `chunks` raises it; the incomplete line before the damage is no row.
    """
    line: list[bytes] = []  # the pieces of a line that is not yet complete
    size = 0
    for chunk in chunks:
        if _MANY_FEEDS in chunk:
            chunk = _FEEDS.sub(b"\n\n", chunk)
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


def _checked_text(chunks: Iterator[bytes], part: FilePart) -> Iterator[bytes]:
    """The chunks, after their first bytes were checked.

    Raises:
        BrokenFileError: see `require_known_kind` and `require_text`.
    """
    head, chunks = with_head(chunks, HEAD_BYTES)
    require_known_kind(head, expected=part.input.format)
    require_text(head[:HEAD_BYTES], encoding=part.input.encoding)
    yield from chunks


def _reads(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while chunk := stream.read(size):
        yield chunk


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


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
        BrokenFileError: if nothing can be decoded, such as UTF-16 without a byte order mark, or if
            a byte is missing or too many in UTF-16 or UTF-32. All before it is yielded.
    """
    decoder = codecs.getincrementaldecoder(encoding)(_MARK)
    unit = next((size for name, size in _WIDE.items() if encoding.startswith(name)), 1)
    size = 0
    for chunk in chunks:
        size += len(chunk)
        text = _decoded(decoder, chunk, encoding)
        if unit > 1 and (garbage := _SHIFTED[unit].search(text)) is not None:
            yield text[: garbage.start()].encode("utf-8", _MARK)
            raise BrokenFileError(
                f"expected {encoding} text, got bytes that are none: one may be missing or too "
                "many before them, or the text after them is in another encoding; the rest of the "
                "file was not read"
            )
        yield text.encode("utf-8", _MARK)
    if size % unit:
        raise BrokenFileError(
            f"expected {encoding} text, {unit} bytes for each unit, got {size} bytes: one is "
            "missing or too many, so some of the rows may be wrong"
        )
    yield _decoded(decoder, b"", encoding, final=True).encode("utf-8", _MARK)


def _decoded(
    decoder: codecs.IncrementalDecoder, chunk: bytes, encoding: str, *, final: bool = False
) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeError as error:
        raise BrokenFileError(f"expected {encoding} text, got none: {error}") from error


def _without_end_mark(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks without the character at the end of the file with which DOS ends a text."""
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b"\x1a" if chunk.endswith(b"\x1a") else b""
        yield chunk.removesuffix(held)


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
