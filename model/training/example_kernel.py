"""The compiled loops that read the `tf.train.Example`s of a shard.

They may get arbitrary bytes, as those of `model.training.protobuf.reading` may.

Source: example.proto of TensorFlow.
"""

from typing import NamedTuple

import numpy as np

from model.runtime.compilation import compiled_with
from model.training.examples import MAX_CUT_TOKENS
from model.training.protobuf import reading
from model.training.protobuf.reading import (
    MALFORMED,
    equals,
    read_bytes_list,
    read_field,
    read_float_list,
    read_int64_list,
)
from model.training.protobuf.wire import BYTES_LIST, DELIMITED, FLOAT_LIST, INT64_LIST

CUT_TOKEN_IDS = np.frombuffer(b"cut_token_ids", np.uint8)
LABEL = np.frombuffer(b"label", np.uint8)
LENGTH = np.frombuffer(b"length", np.uint8)
PROBABILITIES = np.frombuffer(b"probabilities", np.uint8)
TOKEN_IDS = np.frombuffer(b"token_ids", np.uint8)
UNKNOWN_TOKENS = np.frombuffer(b"unknown_tokens", np.uint8)
WEIGHT = np.frombuffer(b"weight", np.uint8)

# What `parse_records` finds wrong with an example. NO_MESSAGE: the record is no example at all.
NO_FAULT, NO_MESSAGE, BAD_TOKEN_IDS, BAD_ID, BAD_LENGTH, BAD_LABEL, BAD_WEIGHT = range(7)
BAD_CUT_TOKEN_IDS, BAD_CUT_ID, CUT_WITHOUT_NEED, BAD_UNKNOWN_TOKENS = range(7, 11)
BAD_PROBABILITIES = 11

# The weight of an example without one: 1, as the bits of a float32.
ONE = 0x3F800000

# The soft labels of an example without them: NaN, as the bits of float32s.
NAN = 0x7FC00000

# Where `Values.counts` has the number of values of a feature.
TOKEN_ID_COUNT, LENGTH_COUNT, LABEL_COUNT, WEIGHT_COUNT, CUT_COUNT, UNKNOWN_COUNT = range(6)
PROBABILITY_COUNT = 6
FEATURES = 7

_compiled = compiled_with(reading)


class Values(NamedTuple):
    """The values of one example; `read_example` fills the arrays.

    Attributes:
        ids: int64 `(max_tokens,)`.
        length: int64 `(1,)`.
        label: int64 `(values,)`.
        weight: the bits of a float32, int64 `(1,)`.
        cut_ids: int64 `(MAX_CUT_TOKENS,)`.
        unknown: uint8, for the bytes of the unknown tokens.
        unknown_offsets: int32, where each begins and ends in `unknown`; the first number is set.
        probabilities: the bits of float32s, int64 `(soft labels,)`.
        counts: how many values each of these features has, int64 `(FEATURES,)`, at the place that
            a constant such as `LENGTH_COUNT` gives; that may be more than its array holds.
    """

    ids: np.ndarray
    length: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    cut_ids: np.ndarray
    unknown: np.ndarray
    unknown_offsets: np.ndarray
    probabilities: np.ndarray
    counts: np.ndarray


class Parsed(NamedTuple):
    """Consecutive examples: the arrays of all of them, and what is wrong with the next one, if any.

    Attributes:
        ids: of all documents without their padding, int32 `(tokens,)`.
        lengths: of the documents, int32 `(examples,)`.
        labels: int64 `(examples, values)`.
        weights: the bits of float32s, uint32 `(examples,)`.
        cut_ids: of all documents, int32 `(cut tokens,)`.
        cut_lengths: how many of them each document has, int32 `(examples,)`.
        unknown: the bytes of the unknown tokens of all documents, uint8.
        unknown_offsets: where each token begins in them, int32 `(unknown tokens + 1,)`.
        unknown_counts: how many unknown tokens each document has, int32 `(examples,)`.
        soft_labels: the bits of float32s, uint32 `(examples, soft labels)`.
        fault: what is wrong with the first example that is, or `NO_FAULT`; the arrays end before
            that example.
        found: the value or the number of values that was found there.
        expected: the number of values that was expected there, if it depends on the example.
    """

    ids: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    cut_ids: np.ndarray
    cut_lengths: np.ndarray
    unknown: np.ndarray
    unknown_offsets: np.ndarray
    unknown_counts: np.ndarray
    soft_labels: np.ndarray
    fault: int
    found: int
    expected: int


@_compiled
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


@_compiled
def read_bytes_feature(
    data: np.ndarray, start: int, end: int, values: np.ndarray, offsets: np.ndarray
) -> int:
    """Like `read_feature`, for the BytesList of a Feature, as `read_bytes_list` reads it."""
    count = 0
    position = start
    while position < end:
        number, wire, inner, stop = read_field(data, position, end)
        if stop == MALFORMED:
            return MALFORMED
        if number == BYTES_LIST and wire == DELIMITED:
            count = read_bytes_list(data, inner, stop, values, offsets, count)
            if count == MALFORMED:
                return MALFORMED
        position = stop
    return count


@_compiled
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
    if equals(data, name_start, name_end, TOKEN_IDS):
        feature = TOKEN_ID_COUNT
        count = read_feature(data, value_start, value_end, INT64_LIST, values.ids)
    elif equals(data, name_start, name_end, LENGTH):
        feature = LENGTH_COUNT
        count = read_feature(data, value_start, value_end, INT64_LIST, values.length)
    elif equals(data, name_start, name_end, LABEL):
        feature = LABEL_COUNT
        count = read_feature(data, value_start, value_end, INT64_LIST, values.label)
    elif equals(data, name_start, name_end, WEIGHT):
        feature = WEIGHT_COUNT
        count = read_feature(data, value_start, value_end, FLOAT_LIST, values.weight)
    elif equals(data, name_start, name_end, CUT_TOKEN_IDS):
        feature = CUT_COUNT
        count = read_feature(data, value_start, value_end, INT64_LIST, values.cut_ids)
    elif equals(data, name_start, name_end, UNKNOWN_TOKENS):
        feature = UNKNOWN_COUNT
        count = read_bytes_feature(
            data, value_start, value_end, values.unknown, values.unknown_offsets
        )
    elif equals(data, name_start, name_end, PROBABILITIES):
        feature = PROBABILITY_COUNT
        count = read_feature(data, value_start, value_end, FLOAT_LIST, values.probabilities)
    else:
        return True
    values.counts[feature] = count
    return count != MALFORMED


@_compiled
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


@_compiled
def count_unknown(ids: np.ndarray, count: int, oov_buckets: int) -> tuple[int, int]:
    """Checks the first `count` ids, int64.

    Returns:
        the first one that is not in [0, 2**31), or 0; and how many stand for unknown tokens.
    """
    # Without a branch for each id, the processor handles several at once.
    unknown = 0
    bits = np.int64(0)
    for index in range(count):
        bits |= ids[index]
        unknown += int(np.uint64(ids[index] - 1) < np.uint64(oov_buckets))
    if bits >> 31 != 0:
        for index in range(count):
            if not 0 <= ids[index] < 1 << 31:
                return ids[index], unknown
    return 0, unknown


@_compiled
def check_values(values: Values, label_values: int, oov_buckets: int) -> tuple[int, int, int]:
    """What is wrong with an example; see `Parsed` for the three numbers."""
    ids, counts, length = values.ids, values.counts, values.length[0]
    if counts[TOKEN_ID_COUNT] != ids.size:
        return BAD_TOKEN_IDS, counts[TOKEN_ID_COUNT], 0
    if counts[LENGTH_COUNT] != 1 or not 0 <= length <= ids.size:
        return BAD_LENGTH, length if counts[LENGTH_COUNT] == 1 else counts[LENGTH_COUNT], 0
    if counts[LABEL_COUNT] != label_values:
        return BAD_LABEL, counts[LABEL_COUNT], 0
    if counts[WEIGHT_COUNT] > 1:
        return BAD_WEIGHT, counts[WEIGHT_COUNT], 0
    soft_labels = values.probabilities.size
    if soft_labels and counts[PROBABILITY_COUNT] not in (0, soft_labels):
        return BAD_PROBABILITIES, counts[PROBABILITY_COUNT], 0
    if counts[CUT_COUNT] > values.cut_ids.size:
        return BAD_CUT_TOKEN_IDS, counts[CUT_COUNT], 0
    if counts[CUT_COUNT] and length < ids.size:
        return CUT_WITHOUT_NEED, length, 0
    bad, unknown = count_unknown(ids, length, oov_buckets)
    if bad:
        return BAD_ID, bad, 0
    bad, of_cut = count_unknown(values.cut_ids, counts[CUT_COUNT], oov_buckets)
    if bad:
        return BAD_CUT_ID, bad, 0
    unknown += of_cut
    if counts[UNKNOWN_COUNT] == 0:  # their text is not known: they are empty
        for index in range(unknown):
            values.unknown_offsets[index + 1] = values.unknown_offsets[0]
        counts[UNKNOWN_COUNT] = unknown
    if counts[UNKNOWN_COUNT] != unknown:
        return BAD_UNKNOWN_TOKENS, counts[UNKNOWN_COUNT], unknown
    return NO_FAULT, 0, 0


# Longer than 60 lines: one loop over arrays that its parts would have to pass to each other.
@_compiled
def parse_records(
    data: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    max_tokens: int,
    label_values: int,
    oov_buckets: int,
    soft_labels: int,
) -> Parsed:
    """Parses the examples `data[starts[i]:ends[i]]` until one is wrong.

    Args:
        data: uint8.
        starts: from `find_records`, int64.
        ends: from `find_records`, int64.
        max_tokens: how many `token_ids` an example has, with its padding.
        label_values: how many values its `label` has.
        oov_buckets: the ids from 1 to this number stand for unknown tokens.
        soft_labels: how many `probabilities` an example has, if it has any; 0: they are skipped.
    """
    rows = starts.size
    # An id takes at least one byte, and so does an unknown token, even where its text is missing.
    ids = np.empty(data.size, np.int32)
    cut_ids = np.empty(data.size, np.int32)
    unknown = np.empty(data.size, np.uint8)
    unknown_offsets = np.empty(data.size + 1, np.int32)
    unknown_offsets[0] = 0
    lengths = np.empty(rows, np.int32)
    cut_lengths = np.empty(rows, np.int32)
    unknown_counts = np.empty(rows, np.int32)
    labels = np.zeros((rows, label_values), np.int64)
    weights = np.empty(rows, np.uint32)
    probabilities = np.empty((rows, soft_labels), np.uint32)
    padded = np.empty(max_tokens, np.int64)
    cut = np.empty(MAX_CUT_TOKENS, np.int64)
    length = np.empty(1, np.int64)
    weight = np.empty(1, np.int64)
    soft = np.empty(soft_labels, np.int64)
    counts = np.empty(FEATURES, np.int64)
    tokens = cut_tokens = unknown_tokens = 0
    fault, found, expected = NO_FAULT, 0, 0
    row = 0
    while row < rows:
        counts[:] = 0
        weight[0] = ONE
        values = Values(
            padded,
            length,
            labels[row],
            weight,
            cut,
            unknown,
            unknown_offsets[unknown_tokens:],
            soft,
            counts,
        )
        if not read_example(data, starts[row], ends[row], values):
            fault = NO_MESSAGE
        else:
            fault, found, expected = check_values(values, label_values, oov_buckets)
        if fault != NO_FAULT:
            break
        for index in range(length[0]):
            ids[tokens + index] = padded[index]
        for index in range(counts[CUT_COUNT]):
            cut_ids[cut_tokens + index] = cut[index]
        for index in range(soft_labels):
            probabilities[row, index] = soft[index] if counts[PROBABILITY_COUNT] else NAN
        lengths[row] = length[0]
        cut_lengths[row] = counts[CUT_COUNT]
        unknown_counts[row] = counts[UNKNOWN_COUNT]
        weights[row] = weight[0]
        tokens += length[0]
        cut_tokens += counts[CUT_COUNT]
        unknown_tokens += counts[UNKNOWN_COUNT]
        row += 1
    return Parsed(
        ids[:tokens],
        lengths[:row],
        labels[:row],
        weights[:row],
        cut_ids[:cut_tokens],
        cut_lengths[:row],
        unknown[: unknown_offsets[unknown_tokens]],
        unknown_offsets[: unknown_tokens + 1],
        unknown_counts[:row],
        probabilities[:row],
        fault,
        found,
        expected,
    )
