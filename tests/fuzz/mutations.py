"""Mutations of bytes for fuzzing."""

from collections.abc import Sequence


def mutated(content: bytes, changes: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Replaces, for each `(place, length, new)`, `length` bytes by `new`.

    A place beyond the end counts from the beginning again. An empty `new` with a length that is a
    multiple of 10 cuts the rest off.

    >>> mutated(b"abcdef", [(1, 2, b"X")])
    b'aXdef'
    >>> mutated(b"abcdef", [(3, 10, b"")])
    b'abc'
    """
    for place, length, new in changes:
        at = place % max(1, len(content))
        end = len(content) if not new and length % 10 == 0 else at + length
        content = content[:at] + new + content[end:]
    return content
