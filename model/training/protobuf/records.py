"""The compiled loop that finds the TFRecord records in the content of a shard.

It may get arbitrary bytes, and reads nothing out of bounds.

Source: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import numpy as np

from model.runtime.compilation import compiled

# A record begins with its length (uint64) and that length's checksum, and ends with a checksum.
RECORD_HEADER, RECORD_FOOTER = 12, 4


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
