"""Decompresses files piece by piece. What comes before damage is yielded before the error."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import zstandard

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.bzip2_member import Bzip2Member
from pipeline.corpora.stored.gzip_member import GzipMember
from pipeline.corpora.stored.kinds import Compression
from pipeline.corpora.stored.zstd_frame import ZstdFrame

# Few bytes are decompressed at once: even if the result is a thousand times as large, it is only
# about 16 MB.
COMPRESSED_BYTES = 16 << 10
CONTENT_BYTES = 1 << 20

_BZIP2_TRAILER_BYTES = 16  # its trailer has 10, which begin within a byte


class Member(Protocol):
    """One of the compressed files of which a file is made.

    Attributes:
        ended: whether all of it has been fed.
        rest: the bytes after its end.
    """

    ended: bool
    rest: bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what the data decompress to, then raises an error if they are damaged."""


_MEMBERS: dict[Compression, Callable[[], Member]] = {
    "gz": GzipMember,
    "bz2": Bzip2Member,
    "zst": ZstdFrame,
}


def decompressed_chunks(
    stored: Iterable[bytes], kind: Compression, *, limit: int
) -> Iterator[bytes]:
    """The content of a compressed file, which may be several compressed files, concatenated.

    No piece has more than `CONTENT_BYTES`: 40 bytes of bzip2 may stand for 46 MB.

    Args:
        stored: the file as it is stored, in pieces of about `COMPRESSED_BYTES`.
        kind: the compression.
        limit: how many bytes of content are given at most.

    Raises:
        BrokenFileError: if the data are damaged or end too early, if anything but zeros follows
            them, or if there is more content than `limit`, after everything that could be
            decompressed was yielded.
    """
    left = limit
    for content in _decompressed(stored, kind):
        for at in range(0, len(content), CONTENT_BYTES):
            piece = content[at : at + CONTENT_BYTES]
            if len(piece) > left:
                yield piece[:left]
                raise BrokenFileError(
                    f"expected at most {limit:,} bytes when decompressed, got more; the rest of "
                    "the file was not read. If it is no mistake, set corpus.max_decompressed_bytes"
                )
            left -= len(piece)
            yield piece


def _decompressed(stored: Iterable[bytes], kind: Compression) -> Iterator[bytes]:
    if kind == "bz2":
        stored = _with_end_bytewise(stored)
    member: Member | None = None
    begun = False
    for data in stored:
        while data:
            if member is None:
                if begun:
                    data = data.lstrip(b"\0")  # padding
                if not data:
                    break
                member, begun = _MEMBERS[kind](), True
            try:
                yield from member.feed(data)
            except (OSError, ValueError, zlib.error, zstandard.ZstdError) as error:
                raise BrokenFileError(
                    f"expected {kind} data, got damaged data ({error}); "
                    "the rest of the file cannot be read"
                ) from error
            data = member.rest
            if member.ended:
                member = None
    if not begun:
        raise BrokenFileError(f"expected {kind} data, got an empty file")
    if member is not None:
        raise BrokenFileError(
            f"expected more {kind} data, got the end of the file; "
            "the rest of its content cannot be read"
        )


def _with_end_bytewise(stored: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes; the last ones come one at a time, so that the content comes before them."""
    held = b""
    for data in stored:
        data = held + data
        held = data[-_BZIP2_TRAILER_BYTES:]
        if len(data) > len(held):
            yield data[: -len(held)]
    for at in range(len(held)):
        yield held[at : at + 1]
