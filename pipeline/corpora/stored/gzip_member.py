"""A member of a gzip file: all that can be decompressed comes before the error.

`zlib` can read the container itself. But where a checksum or a code is wrong, it raises an error
and drops what the same call has decompressed, which may be hundreds of good rows. So the header
and the trailer are read here, and a call that failed is made again, byte by byte.
"""

import struct
import zlib
from collections.abc import Iterator

_TRAILER = struct.Struct("<II")  # CRC-32 and size of the content
_MAGIC = b"\x1f\x8b\x08"
_FIXED_HEADER = 10
_HEADER_BYTES = 1 << 20  # the largest header: names and comments have no limit of their own
_EXTRA, _NAME, _COMMENT, _CHECKSUM = 4, 8, 16, 2


class GzipMember:
    """Decompresses a member; see `Member`."""

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._pending = b""  # of the header or of the trailer
        self._inflate = zlib.decompressobj(wbits=-15)  # -15: deflate without a container
        self._in_header = self._in_content = True
        self._checksum = 0
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what the data decompress to.

        Raises:
            ValueError: if the header or the trailer is wrong.
            zlib.error: if the data are damaged.
        """
        if self._in_header:
            data = self._pending = self._pending + data
            end = _header_end(data)
            if end is None:
                return
            self._in_header, self._pending, data = False, b"", data[end:]
        if self._in_content:
            for content in self._decompress(data):
                self._checksum = zlib.crc32(content, self._checksum)
                self._size += len(content)
                yield content
            self._in_content = not self._inflate.eof
            data = self._inflate.unused_data
        self._pending += data
        if not self._in_content and len(self._pending) >= _TRAILER.size:
            self.rest = self._pending[_TRAILER.size :]
            self.ended = True
            found = _TRAILER.unpack(self._pending[: _TRAILER.size])
            if found != (self._checksum, self._size & 0xFFFFFFFF):
                raise ValueError("the content fails its checksum")

    def _decompress(self, data: bytes) -> Iterator[bytes]:
        before = self._inflate.copy()
        try:
            content = self._inflate.decompress(data)
        except zlib.error:
            yield _until_error(before, data)
            raise
        if content:
            yield content


def _until_error(inflate: "zlib._Decompress", data: bytes) -> bytes:
    pieces = []
    try:
        for at in range(len(data)):
            pieces.append(inflate.decompress(data[at : at + 1]))
    except zlib.error:
        pass  # the caller raises it
    return b"".join(pieces)


def _header_end(data: bytes) -> int | None:
    """Where the header ends; None if it goes on after the data.

    Raises:
        ValueError: if the data do not begin with a header.
    """
    if not data.startswith(_MAGIC[: len(data)]) or data[3:4] > b"\x1f":
        raise ValueError("no header of gzip")
    if len(data) < _FIXED_HEADER:
        return None
    flags, end = data[3], _FIXED_HEADER
    if flags & _EXTRA:
        if len(data) < end + 2:
            return None
        end += 2 + int.from_bytes(data[end : end + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = data.find(b"\0", end) + 1
            if not end:
                if len(data) > _HEADER_BYTES:
                    raise ValueError("a header of gzip that does not end")
                return None
    if flags & _CHECKSUM:
        if len(data) < end + 2:
            return None
        if zlib.crc32(data[:end]) & 0xFFFF != int.from_bytes(data[end : end + 2], "little"):
            raise ValueError("the header fails its checksum")
        end += 2
    return end if len(data) >= end else None
