"""Bytes of rows -> text; bytes that do not decode reject the row or become U+FFFD."""

from pipeline.corpora.reading.failures import Failure, RowError, too_large, with_hole
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.stored.holes import HOLE


def decode(value: bytes, *, encoding: str = "utf-8", name: str, errors: str) -> tuple[str, bool]:
    """Decodes the text of a row.

    Args:
        value: the bytes.
        encoding: the encoding of `value`.
        name: the encoding that messages name. It differs from `encoding` if `value` has already
            been converted to UTF-8.
        errors: if bytes do not decode, `reject` raises and `replace` puts U+FFFD in their place.

    Returns:
        `(text, repaired)`: the text, and whether U+FFFD replaces some bytes in it.

    Raises:
        RowError: `not_utf8`, if bytes do not decode and `errors` is `reject`.
    """
    try:
        return value.decode(encoding), False
    except UnicodeDecodeError as error:
        if errors == "replace":
            return value.decode(encoding, "replace"), True
        raise RowError(
            "not_utf8", f"expected {name} text, got other bytes from byte {error.start}"
        ) from None


def decode_lines(
    lines: list[bytes], part: FilePart, *, limit: int
) -> tuple[list[str], dict[int, Failure], frozenset[int]]:
    """Lines in UTF-8 -> strings without a carriage return at the end.

    Returns:
        `(texts, failures, repaired)`. The text of a line that failed is empty. `failures` and
        `repaired` are as in `RawRows`; a line of more than `limit` bytes is a failure.
    """
    texts = []
    failures = {}
    repaired = set()
    for index, line in enumerate(lines):
        try:
            if len(line) > limit:
                raise RowError(*too_large(limit))
            if 0 in line and HOLE in line:  # looking for one byte takes a tenth of the time
                raise RowError(*with_hole())
            text, was_repaired = decode(
                line.removesuffix(b"\r"), name=part.input.encoding, errors=part.input.errors
            )
        except RowError as error:
            failures[index] = error.failure
            text, was_repaired = "", False
        texts.append(text)
        if was_repaired:
            repaired.add(index)
    return texts, failures, frozenset(repaired)
