"""The compiled loops that read the `tf.train.Example`s of a shard.

They may get arbitrary bytes, as those of `model.training.protobuf.reading` may.

Source: example.proto of TensorFlow.
"""

from typing import NamedTuple

import numpy as np

from model.runtime.compilation import compiled_with
from model.training.examples import MAX_CUT_TOKENS
from model.training.protobuf import reading
from model.training.protobuf.feature_names import (
    NAME_OF_CUT_TOKEN_IDS,
    NAME_OF_LABEL,
    NAME_OF_LENGTH,
    NAME_OF_PROBABILITIES,
    NAME_OF_TOKEN_IDS,
    NAME_OF_UNKNOWN_TOKENS,
    NAME_OF_WEIGHT,
)
from model.training.protobuf.reading import (
    MALFORMED,
    equals,
    read_bytes_list,
    read_field,
    read_float_list,
    read_int64_list,
)
from model.training.protobuf.wire import BYTES_LIST, DELIMITED, FLOAT_LIST, INT64_LIST

# What `parse_records` finds wrong with an example. NO_MESSAGE: the record is no example at all.
NO_FAULT, NO_MESSAGE, BAD_TOKEN_IDS, BAD_ID, BAD_LENGTH, BAD_LABEL, BAD_WEIGHT = range(7)
BAD_CUT_TOKEN_IDS, BAD_CUT_ID, CUT_WITHOUT_NEED, BAD_UNKNOWN_TOKENS = range(7, 11)
BAD_PROBABILITIES = 11

# The weight of an example without one: 1, as the bits of a float32.
ONE = 0x3F800000

# The soft labels of an example without them: NaN, as the bits of float32s.
NAN = 0x7FC00000

# The features that are read, by number. The last one has strings, the others have numbers.
TOKEN_ID, LENGTH, LABEL, WEIGHT, CUT_TOKEN_ID, PROBABILITY, UNKNOWN_TOKEN = range(7)
FEATURES = 7

_compiled = compiled_with(reading)


class Values(NamedTuple):
    """The values of one example; `read_example` fills the arrays.

    They are few, because passing each to a function takes time in every example.

    Attributes:
        numbers: int64; feature f is `numbers[places[f]:places[f + 1]]`, floats as their bits.
        places: int64 `(FEATURES,)`, set beforehand.
        unknown: uint8, for the bytes of the unknown tokens.
        unknown_offsets: int32, where each begins and ends in `unknown`; the first number is set.
        counts: how many values each feature has, int64 `(FEATURES,)`; that may be more than there
            is room for.
    """

    numbers: np.ndarray
    places: np.ndarray
    unknown: np.ndarray
    unknown_offsets: np.ndarray
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
def find_feature(data: np.ndarray, start: int, end: int) -> int:
    """The number of the feature with the name `data[start:end]`; `FEATURES` if none is read."""
    if equals(data, start, end, NAME_OF_TOKEN_IDS):
        return TOKEN_ID
    if equals(data, start, end, NAME_OF_LENGTH):
        return LENGTH
    if equals(data, start, end, NAME_OF_LABEL):
        return LABEL
    if equals(data, start, end, NAME_OF_WEIGHT):
        return WEIGHT
    if equals(data, start, end, NAME_OF_CUT_TOKEN_IDS):
        return CUT_TOKEN_ID
    if equals(data, start, end, NAME_OF_PROBABILITIES):
        return PROBABILITY
    if equals(data, start, end, NAME_OF_UNKNOWN_TOKENS):
        return UNKNOWN_TOKEN
    return FEATURES


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
    feature = find_feature(data, name_start, name_end)
    if feature == FEATURES:
        return True
    if feature == UNKNOWN_TOKEN:
        count = read_bytes_feature(
            data, value_start, value_end, values.unknown, values.unknown_offsets
        )
    else:
        list_number = FLOAT_LIST if feature in (WEIGHT, PROBABILITY) else INT64_LIST
        room = values.numbers[values.places[feature] : values.places[feature + 1]]
        count = read_feature(data, value_start, value_end, list_number, room)
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
def count_unknown(numbers: np.ndarray, start: int, end: int, oov_buckets: int) -> tuple[int, int]:
    """Checks the ids `numbers[start:end]`.

    Returns:
        the first one that is not in [0, 2**31), or 0; and how many stand for unknown tokens.
    """
    # Without a branch for each id, the processor handles several at once.
    unknown = 0
    bits = np.int64(0)
    for index in range(start, end):
        bits |= numbers[index]
        unknown += int(np.uint64(numbers[index] - 1) < np.uint64(oov_buckets))
    if bits >> 31 != 0:
        for index in range(start, end):
            if not 0 <= numbers[index] < 1 << 31:
                return numbers[index], unknown
    return 0, unknown


@_compiled
def check_values(values: Values, oov_buckets: int) -> tuple[int, int, int]:
    """What is wrong with an example; see `Parsed` for the three numbers."""
    numbers, places, counts = values.numbers, values.places, values.counts
    max_tokens = places[TOKEN_ID + 1] - places[TOKEN_ID]
    length = numbers[places[LENGTH]]
    if counts[TOKEN_ID] != max_tokens:
        return BAD_TOKEN_IDS, counts[TOKEN_ID], 0
    if counts[LENGTH] != 1 or not 0 <= length <= max_tokens:
        return BAD_LENGTH, length if counts[LENGTH] == 1 else counts[LENGTH], 0
    if counts[LABEL] != places[LABEL + 1] - places[LABEL]:
        return BAD_LABEL, counts[LABEL], 0
    if counts[WEIGHT] > 1:
        return BAD_WEIGHT, counts[WEIGHT], 0
    soft_labels = places[PROBABILITY + 1] - places[PROBABILITY]
    if soft_labels and counts[PROBABILITY] not in (0, soft_labels):
        return BAD_PROBABILITIES, counts[PROBABILITY], 0
    if counts[CUT_TOKEN_ID] > MAX_CUT_TOKENS:
        return BAD_CUT_TOKEN_IDS, counts[CUT_TOKEN_ID], 0
    if counts[CUT_TOKEN_ID] and length < max_tokens:
        return CUT_WITHOUT_NEED, length, 0
    start = places[TOKEN_ID]
    bad, unknown = count_unknown(numbers, start, start + length, oov_buckets)
    if bad:
        return BAD_ID, bad, 0
    start = places[CUT_TOKEN_ID]
    bad, of_cut = count_unknown(numbers, start, start + counts[CUT_TOKEN_ID], oov_buckets)
    if bad:
        return BAD_CUT_ID, bad, 0
    unknown += of_cut
    if counts[UNKNOWN_TOKEN] == 0:  # their text is not known: they are empty
        for index in range(unknown):
            values.unknown_offsets[index + 1] = values.unknown_offsets[0]
        counts[UNKNOWN_TOKEN] = unknown
    if counts[UNKNOWN_TOKEN] != unknown:
        return BAD_UNKNOWN_TOKENS, counts[UNKNOWN_TOKEN], unknown
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
    labels = np.empty((rows, label_values), np.int64)
    weights = np.empty(rows, np.uint32)
    probabilities = np.empty((rows, soft_labels), np.uint32)
    places = np.zeros(FEATURES, np.int64)
    for feature, size in (
        (TOKEN_ID, max_tokens),
        (LENGTH, 1),
        (LABEL, label_values),
        (WEIGHT, 1),
        (CUT_TOKEN_ID, MAX_CUT_TOKENS),
        (PROBABILITY, soft_labels),
    ):
        places[feature + 1] = places[feature] + size
    numbers = np.empty(places[FEATURES - 1], np.int64)
    counts = np.empty(FEATURES, np.int64)
    tokens = cut_tokens = unknown_tokens = 0
    fault, found, expected = NO_FAULT, 0, 0
    row = 0
    while row < rows:
        counts[:] = 0
        numbers[places[WEIGHT]] = ONE
        values = Values(numbers, places, unknown, unknown_offsets[unknown_tokens:], counts)
        if not read_example(data, starts[row], ends[row], values):
            fault = NO_MESSAGE
        else:
            fault, found, expected = check_values(values, oov_buckets)
        if fault != NO_FAULT:
            break
        length = numbers[places[LENGTH]]
        for index in range(length):
            ids[tokens + index] = numbers[places[TOKEN_ID] + index]
        for index in range(counts[CUT_TOKEN_ID]):
            cut_ids[cut_tokens + index] = numbers[places[CUT_TOKEN_ID] + index]
        for index in range(label_values):
            labels[row, index] = numbers[places[LABEL] + index]
        for index in range(soft_labels):
            bits = numbers[places[PROBABILITY] + index]
            probabilities[row, index] = bits if counts[PROBABILITY] else NAN
        lengths[row] = length
        cut_lengths[row] = counts[CUT_TOKEN_ID]
        unknown_counts[row] = counts[UNKNOWN_TOKEN]
        weights[row] = numbers[places[WEIGHT]]
        tokens += length
        cut_tokens += counts[CUT_TOKEN_ID]
        unknown_tokens += counts[UNKNOWN_TOKEN]
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
