"""Tells from the first bytes whether a file can be text in the encoding that its input names."""

import codecs
import re

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.holes import joined_over_holes, longest_between_holes

_BYTE_ORDER_MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UTF_8 = ("utf-8", "utf-8-sig")  # names of `codecs.lookup`
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LEAST_BYTES = 64  # shorter heads say too little of their encoding
_LEAST_BINARY_BYTES = 256
_BINARY_SHARE = 0.05  # of control characters; about 0.1 in compressed data
_WIDE_SHARE = 0.2  # of zero bytes; 0.5 in English text as UTF-16


def require_text(head: bytes, *, encoding: str) -> None:
    """Refuses what cannot be text in the encoding: binary data, or text in another encoding.

    Args:
        head: the first bytes of the content.
        encoding: the encoding that the input names.

    Raises:
        BrokenFileError: naming what came, and what to do.
    """
    name = codecs.lookup(encoding).name
    if name.startswith(("utf-16", "utf-32")):
        text = longest_between_holes(head)
        if len(text) >= _LEAST_BYTES and 0 not in text and _decodes(text, "utf-8"):
            raise BrokenFileError(
                f"expected {encoding} text, got UTF-8. Take `encoding: {encoding}` from the input."
            )
        return
    for mark, found in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            raise BrokenFileError(
                f"expected {encoding} text, got text in {found.upper()}. "
                f"Add `encoding: {found}` to the input."
            )
    wide = _wide_encoding(longest_between_holes(head))
    if wide is not None:
        raise BrokenFileError(
            f"expected {encoding} text, got zero bytes as in text in {wide}. "
            f"Add `encoding: {wide}` to the input, or leave the file out."
        )
    head = joined_over_holes(head)
    sparse = len(head) >= _LEAST_BYTES and head.count(0) >= _WIDE_SHARE * len(head)
    binary = len(head) >= _LEAST_BINARY_BYTES and has_controls(head)
    if sparse or (binary and (name not in UTF_8 or not _decodes(head, "utf-8"))):
        raise BrokenFileError(
            f"expected {encoding} text, got binary data. Leave the file out, or name its `format`."
        )


def has_controls(head: bytes) -> bool:
    """Whether the bytes hold more control characters than text in an encoding of bytes does."""
    return len(_CONTROL.findall(head)) >= _BINARY_SHARE * max(1, len(head))


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(head: bytes) -> str | None:
    """The encoding of wide text without a byte order mark; None if the bytes are no such text."""
    if len(head) < _LEAST_BYTES or head.count(0) < _WIDE_SHARE * len(head):
        return None
    # The first byte of each character is zero in big-endian text, the last in little-endian text.
    size = 4 if head.count(0) >= 0.6 * len(head) else 2
    big = head[::size].count(0) > head[size - 1 :: size].count(0)
    encoding = f"utf-{8 * size}-{'be' if big else 'le'}"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    return encoding if sum(map(_is_control, text)) < _BINARY_SHARE * len(text) else None


def _is_control(character: str) -> bool:
    return character < " " and character not in "\t\n\v\f\r\x1b"
