"""The first bytes of a file tell what it is; its name may be wrong."""

import codecs
import posixpath
import zlib
from typing import Literal

from pipeline.corpora.stored import zstd_frame
from pipeline.corpora.stored.broken_file import BrokenFileError

Compression = Literal["gz", "bz2", "zst"]

HEAD_BYTES = 16 << 10  # of a file are looked at

_SUFFIXES: dict[str, Compression] = {
    ".gz": "gz",
    ".gzip": "gz",
    ".bz2": "bz2",
    ".zst": "zst",
    ".zstd": "zst",
}

_MAGIC: dict[Compression, bytes] = {
    "gz": b"\x1f\x8b",
    "bz2": b"BZh",
    "zst": zstd_frame.MAGIC,
}
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")  # of the first block, or of the end

# Files that no reader of lines, records or Parquet understands, and what their owner can do.
_OTHER_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xfd7zXZ\x00", "an xz file", "Decompress it with: xz -d."),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet", "Unpack it, or export it as CSV."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it."),
    (b"\x04\x22\x4d\x18", "an lz4 file", "Decompress it with: lz4 -d."),
    (b"\xff\x06\x00\x00sNaPpY", "a Snappy file", "Write it with gzip or zstd."),
    (b"PAR1\x15", "a Parquet file", "Set format: parquet."),
    (b"ARROW1\x00\x00", "an Arrow file", "Write it as Parquet."),
    (b"Obj\x01", "an Avro file", "Write it as Parquet or JSON lines."),
    (b"SQLite format 3\x00", "an SQLite database", "Export it as CSV."),
    (b"\x89HDF\r\n", "an HDF5 file", "Write it as Parquet."),
    (b"%PDF-1", "a PDF document", "Extract its text."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file", "Export it as CSV."),
)


def named_compression(path: str) -> Compression | None:
    """The compression that the suffix of a path names; the content may have another one, or none.

    >>> named_compression("gs://bucket/a.JSONL.GZ")
    'gz'
    """
    return _SUFFIXES.get(posixpath.splitext(path)[1].lower())


def compression_in(head: bytes) -> Compression | None:
    """The compression of a file by its first bytes; None if they are those of none."""
    if head.startswith(_MAGIC["gz"] + b"\x08"):
        return "gz"
    if head.startswith(_MAGIC["bz2"]) and head[4:10] in _BZIP2_BLOCKS:
        return "bz2"
    return "zst" if zstd_frame.begins_frame(head) else None


def begins_compression(head: bytes, kind: Compression) -> bool:
    """Whether a file that is too short to tell may be the beginning of a compressed file.

    >>> begins_compression(b"BZh91", "bz2"), begins_compression(b"a,b", "bz2")
    (True, False)
    """
    magic = _MAGIC[kind]
    return len(head) < 10 and (head.startswith(magic) or magic.startswith(head))


def require_known_kind(head: bytes, *, expected: str) -> None:
    """Refuses a file of a kind that is not read at all, or only by another format.

    Args:
        head: its first bytes.
        expected: what the file should be, for the message.

    Raises:
        BrokenFileError: naming the kind, and what to do.
    """
    if head[:1] == b"x" and _begins_zlib(head):
        raise BrokenFileError(
            f"expected {expected}, got data compressed with zlib. Write it with gzip or zstd."
        )
    if head[257:262] == b"ustar" and 0 in head[:257]:
        raise BrokenFileError(f"expected {expected}, got a tar archive. Unpack it.")
    for magic, kind, cure in _OTHER_KINDS:
        if head.startswith(magic):
            raise BrokenFileError(f"expected {expected}, got {kind}. {cure}")


def _begins_zlib(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        pass
    else:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, len(head)))
    except zlib.error:
        return False
