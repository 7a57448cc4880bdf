"""Bytes of a file as chunks, and chunks as lines: ranges, compression, encodings.

Everything streams: no function holds more of a file than a chunk and a line.
"""

import bz2
import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import PurePosixPath
from typing import Any, BinaryIO, TypeVar

import zstandard

from pipeline.config.inputs import InputConfig

CHUNK_BYTES = 1 << 20
BATCH_BYTES = 8 << 20
_LINE_BYTES = 64 << 20

ItemT = TypeVar("ItemT")

_UTF_8 = ("utf-8", "utf-8-sig")

# Little enough that what it inflates to, even a thousandfold, stays small.
_COMPRESSED_BYTES = 16 << 10


def _new_inflater() -> Any:
    return zlib.decompressobj(wbits=31)  # 31: the gzip container


def _new_zstd() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()


_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    ".gz": _new_inflater,
    ".bz2": bz2.BZ2Decompressor,
    ".zst": _new_zstd,
}


class BrokenFileError(Exception):
    """The rest of a file cannot be read.

    Attributes:
        detail: what was expected and what came.
        rest: the bytes of the torn row before the break, if any.
    """

    def __init__(self, detail: str, rest: bytes = b"") -> None:
        super().__init__(detail)
        self.detail = detail
        self.rest = rest


def compression_of(path: str) -> str | None:
    """The suffix of `path` if it names a compression: .gz, .bz2 or .zst."""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if suffix in _DECOMPRESSORS else None


def ends_lines_with_a_byte(encoding: str) -> bool:
    r"""Whether a byte 0x0A is a line's end and nothing else; false for UTF-16 and UTF-32."""
    return codecs.lookup(encoding).name in _UTF_8 or "\n".encode(encoding) == b"\n"


def stored_chunks(stream: BinaryIO, path: str) -> Iterator[bytes]:
    """The content of a file, decompressed as the suffix of `path` says.

    Raises:
        BrokenFileError: after all that could be decompressed, if the compressed
            data end early or are damaged.
    """
    suffix = compression_of(path)
    if suffix is not None:
        yield from _decompressed(stream, suffix)
        return
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def text_chunks(
    stream: BinaryIO, path: str, source: InputConfig, start: int = 0, end: int | None = None
) -> Iterator[bytes]:
    """The lines of a file that start in `[start, end)`, in UTF-8 and without a leading BOM.

    Bytes that the encoding of `source` does not allow are left (UTF-8) or made
    (any other encoding) invalid UTF-8, for the row they stand in to deal with.

    Raises:
        BrokenFileError: see `stored_chunks`.
    """
    if start == 0 and end is None:
        chunks = stored_chunks(stream, path)
    else:
        chunks = _line_range(stream, start, end)
    encoding = codecs.lookup(source.encoding).name
    if encoding not in _UTF_8:
        chunks = _transcoded(chunks, encoding)
    return _without_bom(chunks) if start == 0 else chunks


def line_blocks(chunks: Iterable[bytes], *, limit: int = _LINE_BYTES) -> Iterator[list[bytes]]:
    r"""Blocks of lines without their line feed; a carriage return before it stays.

    A line of more than `limit` bytes (at least `CHUNK_BYTES`) is cut to its first
    `limit + 1`. The last line needs no line feed.

    Raises:
        BrokenFileError: from `chunks`; its `rest` is the torn last line.
    """
    line: list[bytes] = []  # the pieces of a line that is not yet complete
    size = 0
    try:
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
    except BrokenFileError as error:
        raise BrokenFileError(error.detail, b"".join(line)) from error
    if size:
        yield [b"".join(line)]


def without_blanks(lines: list[bytes]) -> list[bytes]:
    """The lines but for those of nothing but white space (a mebibyte of it at most)."""
    # Longer ones may have been cut, so what follows the white space is not known.
    return [line for line in lines if line and not (line.isspace() and len(line) <= CHUNK_BYTES)]


def batches(
    items: Iterable[ItemT], *, batch_rows: int, size: Callable[[ItemT], int]
) -> Iterator[list[ItemT]]:
    """Items in batches of at most `batch_rows` and of little more than `BATCH_BYTES` bytes.

    Raises:
        BrokenFileError: from `items`, after the items before the break.
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


def _decompressed(stream: BinaryIO, suffix: str) -> Iterator[bytes]:
    decompressor = None
    members = 0  # a file may be several compressed ones, one after the other
    while data := stream.read(_COMPRESSED_BYTES):
        while data:
            if decompressor is None:
                if members:
                    data = data.lstrip(b"\0")  # padding
                if not data:
                    break
                decompressor = _DECOMPRESSORS[suffix]()
                members += 1
            try:
                chunk = decompressor.decompress(data)
            except (OSError, ValueError, zlib.error, zstandard.ZstdError) as error:
                raise BrokenFileError(
                    f"expected {suffix[1:]} data, got damaged ones ({error}); "
                    "the rest of the file is lost"
                ) from error
            if chunk:
                yield chunk
            data = b""
            if decompressor.eof:
                data = decompressor.unused_data
                decompressor = None
    if decompressor is not None:
        raise BrokenFileError(
            f"expected more {suffix[1:]} data, got the end of the file; "
            "the rest of its content is lost"
        )


def _line_range(stream: BinaryIO, start: int, end: int | None) -> Iterator[bytes]:
    """The bytes of the lines that start in `[start, end)`."""
    position, chunk = start, b""
    if start > 0:
        # A line starts at `start` itself if a line feed stands just before it.
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
    """Text of any encoding in UTF-8; what does not decode becomes invalid UTF-8.

    Raises:
        BrokenFileError: if nothing can be decoded: UTF-16 without a byte order mark.
    """
    decoder = codecs.getincrementaldecoder(encoding)(_MARK)
    for chunk, final in chain(zip(chunks, repeat(False)), [(b"", True)]):
        try:
            text = decoder.decode(chunk, final)
        except UnicodeError as error:
            raise BrokenFileError(f"expected {encoding} text, got none: {error}", chunk) from error
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
    """Carries undecodable bytes through to UTF-8 as the byte 0xFF, which it does not allow."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):  # "\udcff", or a surrogate that was encoded
        return b"\xff" * (error.end - error.start), error.end
    raise error


_MARK = "limelight.mark_undecodable"
codecs.register_error(_MARK, _mark)
