"""bzip2: the content of a block is given only after the checksum of the block was verified.

The decompressor of Python gives the content of a block before that, and does not say where a block
ends. The marks at which blocks begin are therefore searched in the compressed data, which are fed
up to one mark at a time.
"""

import bz2
from collections.abc import Iterator

_CONTENT_BYTES = 256 << 10  # of a block are decompressed at once

# What a block, or the end of the last one, begins with: 48 bits, at any bit of a byte.
_BLOCK, _END = 0x314159265359, 0x177245385090
_WHOLE_BYTES = tuple(  # the bytes of a mark that hold no other bits
    (mark << (8 - shift)).to_bytes(7, "big")[1:6] for mark in (_BLOCK, _END) for shift in range(8)
)


class Bzip2Member:
    """Decompresses a stream of bzip2; see `Member`. One block is held: mostly at most 900 kB."""

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._decompressor = bz2.BZ2Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what the data decompress to, without the content of a damaged block.

        Raises:
            OSError: if the data are damaged.
        """
        begin = 0
        for end in (*_mark_ends(data), len(data)):
            content = b"".join(self._decompressed(data[begin:end]))
            if content:
                yield content
            begin = end
            if self._decompressor.eof:
                self.ended, self.rest = True, self._decompressor.unused_data + data[end:]
                return

    def _decompressed(self, data: bytes) -> Iterator[bytes]:
        """All that the data decompress to. A block ends in them, or none does.

        Raises:
            OSError: if the data are damaged. The checksum of a block is compared as soon as all of
                its content was given.
        """
        decompressor = self._decompressor
        while not decompressor.eof:
            content = decompressor.decompress(data, _CONTENT_BYTES)
            data = b""
            if content:
                yield content
            elif decompressor.needs_input:
                break


def _mark_ends(data: bytes) -> list[int]:
    """Where the marks in the data end. A few bytes that only look like one do no harm."""
    ends = set()
    for whole in _WHOLE_BYTES:
        at = data.find(whole)
        while at >= 0:
            ends.add(at + len(whole))
            at = data.find(whole, at + 1)
    return sorted(ends)
