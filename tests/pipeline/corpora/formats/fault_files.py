"""Files of every format and compression, and the faults that storage and transfers do to them."""

import bz2
import dataclasses
import gzip
import json
import random
from collections.abc import Callable, Iterator

import pyarrow as pa
import zstandard

from pipeline.corpora.stored.record_framing import LENGTH, masked_checksum
from tests.pipeline.corpora.formats.test_parquet import parquet_bytes
from tests.pipeline.corpora.formats.test_tfrecord import example

ROWS = 60
TEXTS = [f"row {number:03d} about {number * 7919 % 101} invoices" for number in range(ROWS)]


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _record(data: bytes) -> bytes:
    length = LENGTH.pack(len(data))
    return length + masked_checksum(length) + data + masked_checksum(data)


def _parquet(compression: str) -> bytes:
    table = pa.table({"text": TEXTS, "number": list(range(ROWS))})
    return parquet_bytes(
        table, row_group_size=20, compression=compression, write_page_checksum=True
    )


CONTENTS: dict[str, bytes] = {
    "jsonl": _lines(*(json.dumps({"text": text, "n": 1}) for text in TEXTS)),
    "csv": _lines("text,n", *(f'"{text}",1' for text in TEXTS)),
    "text": _lines(*TEXTS),
    "trec": _lines(*(f"LOC:city {text}" for text in TEXTS)),
    "semeval": _lines(*(f'{at}\t"{text}"\nOther\nComment:\n' for at, text in enumerate(TEXTS))),
    "tfrecord": b"".join(_record(example(text=[text.encode()])) for text in TEXTS),
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file without a fault.

    Attributes:
        format: of its input.
        name: with the suffix of its compression.
        content: the bytes as stored.
        checked: whether checksums or counts can tell every fault; plain lines have none.
    """

    format: str
    name: str
    content: bytes
    checked: bool


FILES = [
    StoredFile(
        format=kind,
        name=f"a.{kind}{suffix}",
        content=compress(content),
        checked=bool(suffix) or kind == "tfrecord",
    )
    for kind, content in CONTENTS.items()
    for suffix, compress in COMPRESSIONS.items()
] + [
    StoredFile(format="parquet", name=f"{each}.parquet", content=_parquet(each), checked=True)
    for each in ("none", "snappy", "gzip", "zstd")
]


def places(file: StoredFile, number: int) -> list[int]:
    """Places in a file: the first and the last bytes, and others chosen at random."""
    size = len(file.content)
    chosen = random.Random(file.name).sample(range(4, size - 4), number - 4)  # noqa: S311
    return sorted([*chosen, 1, 3, size - 3, size - 1])


def cut_files(file: StoredFile, number: int) -> Iterator[bytes]:
    for place in places(file, number):
        yield file.content[:place]


def flipped_files(file: StoredFile, number: int) -> Iterator[bytes]:
    for place in places(file, number):
        content = bytearray(file.content)
        content[place] ^= 1 << place % 8
        yield bytes(content)
