"""Arrow string arrays as the flat buffers that kernels read, and back, without copies."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Positions in a batch are int32, and folding may lengthen a text by half.
MAX_BYTES = 2**30


def read_strings(strings: pa.StringArray | pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all strings, uint8, and where each begins in them, int64 [rows + 1].

    A null reads as an empty string. The arrays are read-only views that keep the Arrow
    buffers alive.

    Raises:
        TypeError: `strings` is not an Arrow array of string or large_string.
        ValueError: the strings have more than 1 GiB together.
    """
    if not isinstance(strings, pa.StringArray | pa.LargeStringArray):
        raise TypeError(
            "strings: expected a pyarrow array of string or large_string, "
            f"got {type(strings).__name__}"
        )
    if strings.null_count:
        strings = pc.fill_null(strings, "")  # the bytes under a null are undefined
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
    # Kernels are compiled anew for a writable array: one kind is enough.
    data.flags.writeable = False
    return data, offsets - offsets[0]


def build_strings(data: np.ndarray, offsets: np.ndarray) -> pa.StringArray:
    """The strings `data[offsets[i]:offsets[i + 1]]`; `data` uint8, `offsets` int32 [rows + 1]."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
