"""Serialized examples as plain Python values."""

import struct
import zlib
from pathlib import Path
from typing import Any


def read_example(serialized: bytes) -> dict[str, Any]:
    """The features of one serialized `tf.train.Example`, each a list."""
    from tensorflow.core.example import example_pb2

    features = example_pb2.Example.FromString(serialized).features.feature
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in features.items()
    }


def read_records(path: str | Path) -> list[bytes]:
    """The records of a gzipped TFRecord file, by the format's own rules: no TensorFlow."""
    members = []
    rest = Path(path).read_bytes()
    while rest:  # gzip members may follow one another
        member = zlib.decompressobj(wbits=31)
        members.append(member.decompress(rest))
        rest = member.unused_data
    data = b"".join(members)
    records = []
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        records.append(data[at + 12 : at + 12 + length])
        at += 16 + length
    return records
