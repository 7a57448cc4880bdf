"""Text in UTF-16 or UTF-32 behind text in another encoding, as PowerShell appends it to a file."""

import re
from collections.abc import Iterable, Iterator

from pipeline.corpora.stored.broken_file import BrokenFileError

# Five characters of wide text that are ASCII, or a line end.
_WIDE = re.compile(rb"(?:[^\0]\0{1,3}){5}|\r\0{1,3}\n\0|\0\r\0{1,3}\n")
_MARKED_LINE = re.compile(rb"\n(?:\xff\xfe|\xfe\xff)")
_HELD_BYTES = 20  # what `_WIDE` needs at most


def without_wide_text(chunks: Iterable[bytes], *, encoding: str) -> Iterator[bytes]:
    """The same chunks, up to wide text.

    Args:
        chunks: lines in an encoding of which ASCII is a part.
        encoding: what messages name.

    Raises:
        BrokenFileError: at the line that begins the wide text.
    """
    held, last = b"", b"\n"
    for chunk in chunks:
        chunk = held + chunk
        begin = None
        if b"\0" in chunk and (wide := _WIDE.search(chunk)) is not None:
            begin = chunk.rfind(b"\n", 0, wide.start() + 1) + 1
        elif b"\xff" in chunk or last.endswith(b"\xff"):
            marked = _MARKED_LINE.search(last + chunk)
            begin = None if marked is None else max(marked.start() + 1 - len(last), 0)
        if begin is not None:
            yield chunk[:begin]
            raise BrokenFileError(
                f"expected {encoding} text, got text in UTF-16 or UTF-32 behind it, as if files "
                "in two encodings had been joined; the rest of the file was not read"
            )
        held = chunk[-_HELD_BYTES:] if b"\0" in chunk[-_HELD_BYTES:] else b""
        given = chunk[: len(chunk) - len(held)]
        if given:
            last = (last + given)[-2:]
            yield given
    if held:
        yield held
