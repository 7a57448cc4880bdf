"""Decompresses files chunk by chunk; the suffix of the path tells the compression."""

import bz2
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import zstandard

from pipeline.corpora.reading.failures import BrokenFileError

# Few bytes are decompressed at once: even if the result is a thousand times as large, it is only
# about 16 MB.
_COMPRESSED_BYTES = 16 << 10


def _new_inflater() -> Any:
    return zlib.decompressobj(wbits=31)  # 31: the gzip container


def _new_zstd() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()


_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    ".gz": _new_inflater,
    ".bz2": bz2.BZ2Decompressor,
    ".zst": _new_zstd,
}


def compression_of(path: str) -> str | None:
    """The suffix of `path` if it names a compression: .gz, .bz2 or .zst."""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if suffix in _DECOMPRESSORS else None


def decompressed_chunks(stream: BinaryIO, suffix: str) -> Iterator[bytes]:
    """The content of a compressed file, which may be several compressed files, concatenated.

    Args:
        stream: the file as it is stored.
        suffix: the result of `compression_of`.

    Raises:
        BrokenFileError: if the data are damaged or end too early, after everything that could be
            decompressed was yielded.
    """
    decompressor = None
    members = 0  # how many of the concatenated files have begun
    while data := stream.read(_COMPRESSED_BYTES):
        while data:
            if decompressor is None:
                if members:
                    data = data.lstrip(b"\0")  # padding
                if not data:
                    break
                decompressor = _DECOMPRESSORS[suffix]()
                members += 1
            try:
                chunk = decompressor.decompress(data)
            except (OSError, ValueError, zlib.error, zstandard.ZstdError) as error:
                raise BrokenFileError(
                    f"expected {suffix[1:]} data, got damaged data ({error}); "
                    "the rest of the file cannot be read"
                ) from error
            if chunk:
                yield chunk
            data = b""
            if decompressor.eof:
                data = decompressor.unused_data
                decompressor = None
    if decompressor is not None:
        raise BrokenFileError(
            f"expected more {suffix[1:]} data, got the end of the file; "
            "the rest of its content cannot be read"
        )
