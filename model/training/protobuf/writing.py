"""The compiled loops that write protobuf messages and the features of `tf.train.Example`s.

A message is written from its last byte to its first, so that the length of a part is known when it
is written. Sources: https://protobuf.dev/programming-guides/encoding; feature.proto of TensorFlow.
"""

import numpy as np

from model.runtime.compilation import compiled
from model.training.protobuf.wire import BYTES_LIST, DELIMITED, FLOAT_LIST, INT64_LIST


@compiled
def varint_bytes(value: np.uint64) -> int:
    """How many bytes a number takes."""
    size = 1
    while value >= np.uint64(0x80):
        value >>= np.uint64(7)
        size += 1
    return size


@compiled
def put_varint(out: np.ndarray, end: int, value: np.uint64) -> int:
    """Writes a number so that it ends before `end`; returns where it starts."""
    start = end - varint_bytes(value)
    for position in range(start, end - 1):
        out[position] = np.uint8(value & np.uint64(0x7F)) | 0x80
        value >>= np.uint64(7)
    out[end - 1] = np.uint8(value)
    return start


@compiled
def put_bytes(out: np.ndarray, end: int, data: np.ndarray, first: int, last: int) -> int:
    """Writes `data[first:last]` so that it ends before `end`; returns where it starts."""
    start = end - (last - first)
    # A loop, because Numba takes 2.5 s to compile an assignment to a slice.
    for index in range(last - first):
        out[start + index] = data[first + index]
    return start


@compiled
def put_tag(out: np.ndarray, start: int, end: int, number: int) -> int:
    """Makes `out[start:end]` a field: puts its length and its tag before it; returns the start."""
    start = put_varint(out, start, np.uint64(end - start)) - 1
    out[start] = number << 3 | DELIMITED
    return start


@compiled
def put_feature(out: np.ndarray, start: int, end: int, list_number: int, name: np.ndarray) -> int:
    """Makes the list `out[start:end]` an entry of the map in Features; returns the start."""
    feature = put_tag(out, start, end, list_number)
    value = put_tag(out, feature, end, 2)
    key = put_tag(out, put_bytes(out, value, name, 0, name.size), value, 1)
    return put_tag(out, key, end, 1)


@compiled
def put_int64_feature(out: np.ndarray, end: int, values: np.ndarray, name: np.ndarray) -> int:
    """Writes a feature of int64 values so that it ends before `end`; returns where it starts."""
    start = end
    for index in range(values.size - 1, -1, -1):
        start = put_varint(out, start, np.uint64(values[index]))
    if values.size:
        start = put_tag(out, start, end, 1)
    return put_feature(out, start, end, INT64_LIST, name)


@compiled
def count_varint_bytes(values: np.ndarray) -> int:
    """How many bytes the int64 numbers of a matrix take together."""
    total = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            total += varint_bytes(np.uint64(values[row, column]))
    return total


@compiled
def put_bytes_feature(
    out: np.ndarray, end: int, data: np.ndarray, offsets: np.ndarray, name: np.ndarray
) -> int:
    """Writes a feature of strings so that it ends before `end`; returns where it starts.

    String i is `data[offsets[i]:offsets[i + 1]]`.
    """
    start = end
    for index in range(offsets.size - 2, -1, -1):
        stop = start
        start = put_bytes(out, stop, data, offsets[index], offsets[index + 1])
        start = put_tag(out, start, stop, 1)
    return put_feature(out, start, end, BYTES_LIST, name)


@compiled
def put_float_feature(out: np.ndarray, end: int, bits: np.ndarray, name: np.ndarray) -> int:
    """Writes a feature of floats, given as uint32, so that it ends before `end`.

    Returns:
        where it starts.
    """
    start = end
    for index in range(bits.size - 1, -1, -1):
        start -= 4
        for byte in range(4):
            out[start + byte] = np.uint8(bits[index] >> np.uint32(8 * byte) & np.uint32(255))
    return put_feature(out, put_tag(out, start, end, 1), end, FLOAT_LIST, name)
