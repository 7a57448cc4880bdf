"""The compiled loops that read protobuf messages and the lists in `tf.train.Example`s.

They may get arbitrary bytes. They compare every length that they find with the bytes that are left
before they use it, so nothing is read or written out of bounds.

Sources: https://protobuf.dev/programming-guides/encoding; feature.proto of TensorFlow
"""

import numpy as np

from model.runtime.compilation import compiled
from model.training.protobuf.wire import DELIMITED, FIXED_32, FIXED_64, VARINT

# What a position becomes where the bytes are not a message.
MALFORMED = -1


@compiled
def read_varint(data: np.ndarray, position: int, end: int) -> tuple[np.uint64, int]:
    """The number at `position`, uint64, and the position after it; `MALFORMED` if it is cut off."""
    value = np.uint64(0)
    for byte in range(min(10, end - position)):
        bits = np.uint64(data[position + byte])
        value |= (bits & np.uint64(0x7F)) << np.uint64(7 * byte)
        if bits < np.uint64(0x80):
            return value, position + byte + 1
    return value, MALFORMED


@compiled
def read_field(data: np.ndarray, position: int, end: int) -> tuple[int, int, int, int]:
    """The field of a message that begins at `position`.

    Returns:
        its number, its wire type, and where its value starts and ends; the end is also where the
        next field begins, and `MALFORMED` if there is no field.
    """
    tag, start = read_varint(data, position, end)
    number, wire = int(np.int64(tag >> np.uint64(3))), int(np.int64(tag & np.uint64(7)))
    if start == MALFORMED:
        return number, wire, position, MALFORMED
    left = np.uint64(end - start)
    size = np.uint64(0)
    if wire == VARINT:
        _, stop = read_varint(data, start, end)
        return number, wire, start, stop
    if wire == FIXED_64:
        size = np.uint64(8)
    elif wire == FIXED_32:
        size = np.uint64(4)
    elif wire == DELIMITED:
        size, start = read_varint(data, start, end)
        if start == MALFORMED:
            return number, wire, position, MALFORMED
        left = np.uint64(end - start)
    else:
        return number, wire, start, MALFORMED
    if size > left:
        return number, wire, start, MALFORMED
    return number, wire, start, start + int(np.int64(size))


@compiled
def read_int64_list(data: np.ndarray, start: int, end: int, values: np.ndarray, count: int) -> int:
    """Reads an Int64List, packed or not, into `values`, int64, from `values[count]` on.

    Returns:
        `count` and the numbers in the list, which may be more than fit in `values`; `MALFORMED`
        if it is not a message.
    """
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return MALFORMED
        if number == 1 and wire in (DELIMITED, VARINT):
            while inner < stop:
                # Most numbers take one or two bytes; calling `read_varint` for each takes longer.
                value = np.uint64(data[inner])
                if value < np.uint64(0x80):
                    inner += 1
                elif inner + 1 < stop and data[inner + 1] < 0x80:
                    value += (np.uint64(data[inner + 1]) - np.uint64(1)) << np.uint64(7)
                    inner += 2
                else:
                    value, inner = read_varint(data, inner, stop)
                    if inner == MALFORMED:
                        return MALFORMED
                if count < values.size:
                    values[count] = np.int64(value)
                count += 1
        position = stop
    return count


@compiled
def read_float_list(data: np.ndarray, start: int, end: int, values: np.ndarray, count: int) -> int:
    """Like `read_int64_list`, for a FloatList; `values` are the bits of float32s."""
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return MALFORMED
        if number == 1 and wire in (DELIMITED, FIXED_32):
            if (stop - inner) % 4:
                return MALFORMED
            while inner < stop:
                if count < values.size:
                    values[count] = 0
                    for byte in range(4):
                        values[count] |= np.int64(data[inner + byte]) << 8 * byte
                count += 1
                inner += 4
        position = stop
    return count


@compiled
def read_bytes_list(
    data: np.ndarray, start: int, end: int, values: np.ndarray, offsets: np.ndarray, count: int
) -> int:
    """Reads a BytesList.

    Args:
        data: uint8.
        start: where the list begins in `data`.
        end: where it ends.
        values: uint8; string i is copied to `values[offsets[i]:offsets[i + 1]]`.
        offsets: int32, written from `offsets[count + 1]` on.
        count: the strings that `values` has already.

    Returns:
        `count` and the strings in the list; `MALFORMED` if it is not a message, or if `values` or
        `offsets` has no room for them.
    """
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return MALFORMED
        if number == 1 and wire == DELIMITED:
            size = stop - inner
            if count + 1 >= offsets.size or size > values.size - offsets[count]:
                return MALFORMED
            for index in range(size):
                values[offsets[count] + index] = data[inner + index]
            offsets[count + 1] = offsets[count] + size
            count += 1
        position = stop
    return count


@compiled
def equals(data: np.ndarray, start: int, end: int, name: np.ndarray) -> bool:
    """Whether `data[start:end]` is `name`."""
    if end - start != name.size:
        return False
    same = True
    for index in range(name.size):
        same &= data[start + index] == name[index]
    return same
