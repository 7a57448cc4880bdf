"""A frame of a zstd file, decompressed block by block.

The library drops what a call has decompressed if the same call finds damage. Every call therefore
gets one block, or the checksum alone: https://www.rfc-editor.org/rfc/rfc8878.html#section-3.1
"""

from collections.abc import Iterator

import zstandard

# The largest window on a 64-bit machine (zstd --ultra --long=31). A file that needs it takes twice
# as much memory as it has content, at most twice this. A few kilobytes could claim such a window
# and fill it. So where the window is larger than zstd allows by itself, the memory may only grow
# with the file: real text becomes a tenth, and lines that repeat become a hundredth.
_WINDOW_BYTES = 1 << 31
_USUAL_WINDOW_BYTES = 1 << 27
_CONTENT_A_BYTE = 200

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte from 0x50 to 0x5F
_BLOCK_HEADER = 3
_RLE_BLOCK = 1  # one byte, to be repeated


def begins_frame(head: bytes) -> bool:
    """Whether a file begins with a frame, perhaps one that is skipped, by its first bytes."""
    return head.startswith(MAGIC) or _is_skippable(head)


class ZstdFrame:
    """Decompresses a frame; see `Member`."""

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._pending = b""  # a piece that is not complete
        self._skipped = 0  # bytes of a skippable frame that are still to come
        self._checked = False  # whether a checksum follows the last block
        self._window = 0
        self._taken = self._given = 0  # bytes of the frame, and of its content
        self._next = "header"  # then: block, checksum, end; or: skip
        self._decompressor = zstandard.ZstdDecompressor(
            max_window_size=_WINDOW_BYTES
        ).decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what the data decompress to.

        Raises:
            ValueError: if there is no frame, or one that would fill a large window from few bytes.
            zstandard.ZstdError: if the data are damaged.
        """
        data = self._pending + data
        at = 0
        while not self.ended and self._next != "skip":
            size = self._piece_size(data[at : at + 20])
            if size is None or len(data) - at < size:
                break
            piece = data[at : at + size]
            at += size
            if self._next == "header" and _is_skippable(piece):
                self._next, self._skipped = "skip", int.from_bytes(piece[4:8], "little")
                break
            if self._next == "header":
                self._window = _window_size(piece)
            content = self._decompressor.decompress(piece)
            self._taken, self._given = self._taken + size, self._given + len(content)
            self._require_reason_for_window()
            if content:
                yield content
            self._next = self._following(piece)
            self.ended = self._next == "end"
        if self._next == "skip":
            skipped = min(self._skipped, len(data) - at)
            at, self._skipped = at + skipped, self._skipped - skipped
            self.ended = not self._skipped
        self._pending = data[at:]
        if self.ended:
            self.rest, self._pending = self._pending, b""

    def _require_reason_for_window(self) -> None:
        """Refuses a large window of content that is very small when compressed.

        Raises:
            ValueError: see there.
        """
        large = self._window > _USUAL_WINDOW_BYTES < self._given
        if large and self._given > _CONTENT_A_BYTE * self._taken:
            raise ValueError(
                f"a window of {self._window:,} bytes, which would be filled from {self._taken:,}; "
                "compress it again without --long if it is no mistake"
            )

    def _piece_size(self, data: bytes) -> int | None:
        """The size of the next piece that begins with `data`; None if that is not known yet."""
        if self._next == "header":
            return _header_size(data)
        if self._next == "checksum":
            return 4
        if len(data) < _BLOCK_HEADER:
            return None
        header = int.from_bytes(data[:_BLOCK_HEADER], "little")
        kind, size = header >> 1 & 3, header >> 3
        return _BLOCK_HEADER + (1 if kind == _RLE_BLOCK else size)

    def _following(self, piece: bytes) -> str:
        """Which piece comes after this one."""
        if self._next == "header":
            self._checked = bool(piece[4] & 4)
            return "block"
        if self._next == "block" and not piece[0] & 1:  # not the last one
            return "block"
        return "checksum" if self._checked and self._next == "block" else "end"


def _is_skippable(head: bytes) -> bool:
    return head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F


def _header_size(data: bytes) -> int | None:
    """The size of the header of a frame.

    Raises:
        ValueError: if the data do not begin with a frame.
    """
    if not data:
        return None
    skippable = 0x50 <= data[0] <= 0x5F and _SKIPPABLE.startswith(data[1:4])
    if not skippable and not MAGIC.startswith(data[:4]):
        raise ValueError("no frame of zstd")
    if len(data) < 5:
        return None
    if skippable:
        return 8
    descriptor = data[4]
    single = descriptor >> 5 & 1  # one segment: the content's size takes the place of the window's
    window = 0 if single else 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content = (single, 2, 4, 8)[descriptor >> 6]
    return 5 + window + dictionary + content


def _window_size(header: bytes) -> int:
    """How many of the last bytes of its content a frame may refer to, by its header."""
    descriptor = header[4]
    if descriptor >> 5 & 1:  # one segment: all of its content
        size = int.from_bytes(header[5 + (0, 1, 2, 4)[descriptor & 3] :], "little")
        return size + 256 if descriptor >> 6 == 1 else size
    exponent, eighths = header[5] >> 3, header[5] & 7
    return (1 << (10 + exponent)) // 8 * (8 + eighths)
