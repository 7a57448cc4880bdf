"""The frame of a TFRecord: its length, and checksums of the length and of the data.

A record is its length (uint64), the length's checksum (uint32), the data, and
their checksum (uint32), all little-endian. A checksum is CRC-32C, masked:
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import struct

import google_crc32c

LENGTH = struct.Struct("<Q")
CHECKSUM = struct.Struct("<I")


def masked_checksum(data: bytes) -> bytes:
    """The checksum of a length or of data, as it is stored."""
    crc = google_crc32c.value(data)
    return CHECKSUM.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def begins_record(head: bytes) -> bool:
    """Whether a file begins with a record, by the checksum of the length."""
    length, checksum = head[: LENGTH.size], head[LENGTH.size : LENGTH.size + CHECKSUM.size]
    return len(checksum) == CHECKSUM.size and masked_checksum(length) == checksum
