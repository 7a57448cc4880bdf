"""Flags of many documents as a short text, for JSON."""

import base64

import numpy as np


def pack_flags(flags: np.ndarray) -> str:
    """Flags, bool `(rows,)`, as text of 4 characters for 24 of them."""
    return base64.b64encode(np.packbits(flags).tobytes()).decode()


def unpack_flags(text: str, *, rows: int) -> np.ndarray:
    """The flags of `pack_flags`, bool `(rows,)`."""
    packed = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.unpackbits(packed, count=rows).astype(bool)
