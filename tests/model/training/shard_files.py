"""TFRecord shards for tests, written without TensorFlow."""

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path


def records(serialized: Sequence[bytes]) -> bytes:
    """TFRecord records; their checksums are 0, because nothing here reads them."""
    return b"".join(
        struct.pack("<QI", len(example), 0) + example + bytes(4) for example in serialized
    )


def write_shard(path: Path, serialized: Sequence[bytes]) -> str:
    """Writes a gzipped file of records; returns its path."""
    path.write_bytes(gzip.compress(records(serialized), 1))
    return str(path)
