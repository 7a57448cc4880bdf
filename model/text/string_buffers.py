"""Converts Arrow string arrays to the flat buffers that kernels read, and back, without copies."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Kernels count positions in a batch in int32, and folding may make a text 1.5 times as long.
MAX_BYTES = 2**30


def read_strings(strings: pa.StringArray | pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the bytes of all strings, uint8, and where each begins in them, int64 [rows + 1].

    A null is read as an empty string. The bytes are a read-only view that keeps the Arrow
    buffer alive.

    Raises:
        TypeError: `strings` is not an Arrow array of string or large_string.
        ValueError: the strings together have more than 1 GiB.
    """
    if not isinstance(strings, pa.StringArray | pa.LargeStringArray):
        raise TypeError(
            "strings: expected a pyarrow array of string or large_string, "
            f"got {type(strings).__name__}"
        )
    if strings.null_count:
        strings = pc.fill_null(strings, "")  # the bytes of a null are undefined
    if len(strings) == 0:
        return np.frombuffer(b"", dtype=np.uint8), np.zeros(1, dtype=np.int64)
    _, offset_buffer, byte_buffer = strings.buffers()
    width = np.int64 if pa.types.is_large_string(strings.type) else np.int32
    offsets = np.frombuffer(offset_buffer, dtype=width)
    offsets = offsets[strings.offset : strings.offset + len(strings) + 1].astype(np.int64)
    size = int(offsets[-1] - offsets[0])
    if size > MAX_BYTES:
        raise ValueError(
            f"strings: expected at most {MAX_BYTES} bytes in one batch, got {size}. "
            "Pass fewer rows at a time."
        )
    data = np.frombuffer(byte_buffer or b"", dtype=np.uint8)[offsets[0] : offsets[-1]]
    # Numba compiles a kernel once for read-only arrays and once more for writable ones.
    data.flags.writeable = False
    return data, offsets - offsets[0]


def build_strings(data: np.ndarray, offsets: np.ndarray) -> pa.StringArray:
    """The strings `data[offsets[i]:offsets[i + 1]]`; `data` uint8, `offsets` int32 [rows + 1]."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
