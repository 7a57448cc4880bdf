"""The compiled loops that read TFRecord records and the `tf.train.Example`s in them.

They may get arbitrary bytes. They compare every length that they find with the bytes that are left
before they use it, so nothing is read or written out of bounds.

Sources: https://protobuf.dev/programming-guides/encoding; example.proto and feature.proto of
TensorFlow; https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

from typing import NamedTuple

import numpy as np

from model.runtime.compilation import compiled

LABEL = np.frombuffer(b"label", np.uint8)
LENGTH = np.frombuffer(b"length", np.uint8)
TOKEN_IDS = np.frombuffer(b"token_ids", np.uint8)
WEIGHT = np.frombuffer(b"weight", np.uint8)

# Wire types of protobuf.
VARINT, FIXED_64, DELIMITED, FIXED_32 = 0, 1, 2, 5

# The numbers of the lists in a Feature.
FLOAT_LIST, INT64_LIST = 2, 3

# A record begins with its length (uint64) and that length's checksum, and ends with a checksum.
RECORD_HEADER, RECORD_FOOTER = 12, 4

# What a position becomes where the bytes are not a message.
MALFORMED = -1

# What `parse_records` finds wrong with an example. NO_MESSAGE: the record is no example at all.
NO_FAULT, NO_MESSAGE, BAD_TOKEN_IDS, BAD_ID, BAD_LENGTH, BAD_LABEL, BAD_WEIGHT = range(7)

# The weight of an example without one: 1, as the bits of a float32.
ONE = 0x3F800000


class Values(NamedTuple):
    """The values of one example; `read_example` fills the arrays.

    Attributes:
        ids: int64 `(max_tokens,)`.
        length: int64 `(1,)`.
        label: int64 `(values,)`.
        weight: the bits of a float32, int64 `(1,)`.
        counts: how many values each of these features has, in this order, int64 `(4,)`; that may
            be more than its array holds.
    """

    ids: np.ndarray
    length: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    counts: np.ndarray


@compiled
def find_records(data: np.ndarray, max_bytes: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Finds the complete TFRecord records in `data`, uint8.

    Returns:
        where the bytes of each example start and end, int64 `(records,)` each; the position after
        the last complete record; and the length that the record at that position claims, where it
        is more than `max_bytes` (cut to the range of an int64), else 0.
    """
    places = np.empty((2, data.size // (RECORD_HEADER + RECORD_FOOTER) + 1), np.int64)
    found = 0
    position = 0
    while data.size - position >= RECORD_HEADER:
        length = np.uint64(0)
        for byte in range(8):
            length |= np.uint64(data[position + byte]) << np.uint64(8 * byte)
        if length > np.uint64(max_bytes):
            claimed = int(np.int64(min(length, np.uint64(0x7FFFFFFFFFFFFFFF))))
            return places[0, :found], places[1, :found], position, claimed
        start = position + RECORD_HEADER
        end = start + int(np.int64(length))
        if end + RECORD_FOOTER > data.size:
            break
        places[0, found] = start
        places[1, found] = end
        found += 1
        position = end + RECORD_FOOTER
    return places[0, :found], places[1, :found], position, 0


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
def equals(data: np.ndarray, start: int, end: int, name: np.ndarray) -> bool:
    """Whether `data[start:end]` is `name`."""
    if end - start != name.size:
        return False
    same = True
    for index in range(name.size):
        same &= data[start + index] == name[index]
    return same


@compiled
def read_feature(
    data: np.ndarray, start: int, end: int, list_number: int, values: np.ndarray
) -> int:
    """Reads the values of a Feature: its Int64List, or the bits of its FloatList, into int64.

    Returns:
        how many values it has of that kind; `MALFORMED` if it is not a message.
    """
    count = 0
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return MALFORMED
        if number == list_number and wire == DELIMITED:
            if list_number == FLOAT_LIST:
                count = read_float_list(data, inner, stop, values, count)
            else:
                count = read_int64_list(data, inner, stop, values, count)
            if count == MALFORMED:
                return MALFORMED
        position = stop
    return count


@compiled
def read_entry(data: np.ndarray, start: int, end: int, values: Values) -> bool:
    """Reads one entry of the map in Features, if it is a feature that is used.

    Returns:
        whether it is a message.
    """
    name_start = name_end = value_start = value_end = 0
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return False
        if wire == DELIMITED and number == 1:
            name_start, name_end = inner, stop
        elif wire == DELIMITED and number == 2:
            value_start, value_end = inner, stop
        position = stop
    count = feature = 0
    if equals(data, name_start, name_end, TOKEN_IDS):
        count = read_feature(data, value_start, value_end, INT64_LIST, values.ids)
    elif equals(data, name_start, name_end, LENGTH):
        feature = 1
        count = read_feature(data, value_start, value_end, INT64_LIST, values.length)
    elif equals(data, name_start, name_end, LABEL):
        feature = 2
        count = read_feature(data, value_start, value_end, INT64_LIST, values.label)
    elif equals(data, name_start, name_end, WEIGHT):
        feature = 3
        count = read_feature(data, value_start, value_end, FLOAT_LIST, values.weight)
    else:
        return True
    values.counts[feature] = count
    return count != MALFORMED


@compiled
def read_example(data: np.ndarray, start: int, end: int, values: Values) -> bool:
    """Reads the Example `data[start:end]` into `values`; returns whether it is a message."""
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return False
        if number == 1 and wire == DELIMITED:  # its Features
            while inner < stop:
                number, wire, entry, entry_end = read_field(data, inner, stop)
                if entry_end == MALFORMED:
                    return False
                known = number == 1 and wire == DELIMITED
                if known and not read_entry(data, entry, entry_end, values):
                    return False
                inner = entry_end
        position = stop
    return True


@compiled
def parse_records(
    data: np.ndarray, starts: np.ndarray, ends: np.ndarray, max_tokens: int, label_values: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int, int]:
    """Parses the examples `data[starts[i]:ends[i]]` until one is wrong.

    Args:
        data: uint8.
        starts: from `find_records`.
        ends: from `find_records`.
        max_tokens: how many `token_ids` an example has, with its padding.
        label_values: how many values its `label` has.

    Returns:
        the ids of all documents without their padding, int32 `(tokens,)`; their lengths, int32
        `(examples,)`; labels, int64 `(examples, label_values)`; the bits of their weights,
        uint32 `(examples,)`. Then what is wrong with the first example that is, or `NO_FAULT`, and
        the value or the number of values that was found there; the arrays end before that example.
    """
    rows = starts.size
    # An id takes at least one byte.
    ids = np.empty(data.size, np.int32)
    lengths = np.empty(rows, np.int32)
    labels = np.zeros((rows, label_values), np.int64)
    weights = np.empty(rows, np.uint32)
    padded = np.empty(max_tokens, np.int64)
    length = np.empty(1, np.int64)
    weight = np.empty(1, np.int64)
    counts = np.empty(4, np.int64)
    written = 0
    fault, found = NO_FAULT, 0
    row = 0
    while row < rows:
        counts[:] = 0
        weight[0] = ONE
        values = Values(padded, length, labels[row], weight, counts)
        if not read_example(data, starts[row], ends[row], values):
            fault = NO_MESSAGE
        elif counts[0] != max_tokens:
            fault, found = BAD_TOKEN_IDS, counts[0]
        elif counts[1] != 1 or not 0 <= length[0] <= max_tokens:
            fault, found = BAD_LENGTH, length[0] if counts[1] == 1 else counts[1]
        elif counts[2] != label_values:
            fault, found = BAD_LABEL, counts[2]
        elif counts[3] > 1:
            fault, found = BAD_WEIGHT, counts[3]
        if fault != NO_FAULT:
            break
        for index in range(length[0]):
            if not 0 <= padded[index] < 1 << 31:
                fault, found = BAD_ID, padded[index]
            ids[written + index] = padded[index]
        if fault != NO_FAULT:
            break
        lengths[row] = length[0]
        weights[row] = weight[0]
        written += length[0]
        row += 1
    return ids[:written], lengths[:row], labels[:row], weights[:row], fault, found
