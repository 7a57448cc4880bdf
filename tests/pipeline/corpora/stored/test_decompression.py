import bz2
import dataclasses
import gzip
import io
import random
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.streams import (
    stored_chunks,
)
from pipeline.corpora.stored.broken_file import BrokenFileError
from tests.pipeline.corpora.formats.whole_file import ShortReads

CONTENT = b"".join(b"line %d of the content\n" % number for number in range(50_000))


def compress_zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


COMPRESSIONS = [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", compress_zstd)]


def part_of(suffix: str) -> FilePart:
    path = "a.jsonl" + suffix
    return FilePart(path=path, source_file=path, input=InputConfig(path=path))


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSIONS)
class TestCompression:
    def test_concatenated_compressed_files_are_read_as_one(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        stored = compress(CONTENT[:1000]) + compress(b"") + compress(CONTENT[1000:])
        assert b"".join(stored_chunks(io.BytesIO(stored), part_of(suffix))) == CONTENT
        assert b"".join(stored_chunks(ShortReads(stored, 7), part_of(suffix))) == CONTENT

    def test_zeros_after_the_last_member_are_padding(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        stored = compress(CONTENT) + b"\0" * 512
        assert b"".join(stored_chunks(io.BytesIO(stored), part_of(suffix))) == CONTENT

    def test_an_empty_file_is_damage(self, suffix: str, compress: Callable[[bytes], bytes]) -> None:
        with pytest.raises(BrokenFileError, match="got an empty file"):
            list(stored_chunks(io.BytesIO(b""), part_of(suffix)))

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
    def test_all_that_a_truncated_file_holds_comes_before_the_error(
        self, suffix: str, compress: Callable[[bytes], bytes], share: float
    ) -> None:
        stored = compress(CONTENT)
        torn = stored[: int(len(stored) * share)]
        chunks: list[bytes] = []
        with pytest.raises(BrokenFileError, match="got the end of the file"):
            chunks.extend(stored_chunks(io.BytesIO(torn), part_of(suffix)))
        content = b"".join(chunks)
        assert CONTENT.startswith(content)
        if suffix == ".gz":  # the others compress in blocks larger than what is left
            assert len(content) > 0.9 * share * len(CONTENT) - 5_000

    @pytest.mark.parametrize("rest", [b"garbage after the last member", b"\0" * 9 + b"x"])
    def test_garbage_after_a_member_is_damage(
        self, suffix: str, compress: Callable[[bytes], bytes], rest: bytes
    ) -> None:
        stored = compress(CONTENT) + rest
        chunks: list[bytes] = []
        with pytest.raises(BrokenFileError):
            chunks.extend(stored_chunks(io.BytesIO(stored), part_of(suffix)))
        assert b"".join(chunks) == CONTENT

    def test_a_file_of_zeros_is_damage(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        with pytest.raises(BrokenFileError):
            list(stored_chunks(io.BytesIO(b"\0" * 100), part_of(suffix)))


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSIONS)
@pytest.mark.parametrize("limit", [1, 999, 1_000_000])
def test_no_more_than_the_limit_is_decompressed(
    suffix: str, compress: Callable[[bytes], bytes], limit: int
) -> None:
    part = dataclasses.replace(part_of(suffix), max_decompressed_bytes=limit)
    stored = compress(CONTENT[:limit])
    assert b"".join(stored_chunks(io.BytesIO(stored), part)) == CONTENT[:limit]
    for bomb in (compress(CONTENT), stored + compress(CONTENT)):
        chunks: list[bytes] = []
        with pytest.raises(BrokenFileError, match=rf"at most {limit:,} bytes .* corpus.max_dec"):
            chunks.extend(stored_chunks(io.BytesIO(bomb), part))
        assert b"".join(chunks) == CONTENT[:limit]


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSIONS)
def test_what_unfolds_to_much_comes_in_small_pieces(
    suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    stored = compress(b"\n" * 50_000_000)
    chunks = stored_chunks(io.BytesIO(stored), part_of(suffix))
    tracemalloc.start()
    try:
        assert sum(len(chunk) for chunk in chunks if len(chunk) <= 1 << 20) == 50_000_000
        assert tracemalloc.get_traced_memory()[1] < 120_000_000  # twice a block of bzip2
    finally:
        tracemalloc.stop()


def compress_with_window(content: bytes, window_log: int) -> bytes:
    settings = zstandard.ZstdCompressionParameters.from_level(
        1, window_log=window_log, write_content_size=False
    )
    compressor = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    return compressor.compress(content) + compressor.flush()


def test_a_long_window_of_zstd_needs_a_file_that_is_large_enough() -> None:
    assert decompressed(compress_with_window(CONTENT, 31)) == len(CONTENT)
    bomb = compress_with_window(bytes(150_000_000), 30)
    with pytest.raises(BrokenFileError, match=r"a window of .* from 4,115; compress"):
        decompressed(bomb)
    assert decompressed(compress_with_window(bytes(150_000_000), 24)) == 150_000_000
    block = random.Random(0).randbytes(1_000_000)  # noqa: S311
    real = compress_with_window(block * 2 + bytes(140_000_000), 31)
    assert decompressed(real) == 142_000_000


def decompressed(stored: bytes) -> int:
    return sum(map(len, stored_chunks(io.BytesIO(stored), part_of(".zst"))))


def test_no_byte_of_a_damaged_block_of_bzip2_is_given() -> None:
    content = random.Random(0).randbytes(350_000)  # noqa: S311
    stored = bz2.compress(content, compresslevel=1)  # blocks of 100,000 bytes
    given_sizes = set()
    for at in range(10, len(stored), 3_989):
        damaged = bytearray(stored)
        damaged[at] ^= 1 << at % 8
        for most in (16 << 10, 1_000):
            chunks: list[bytes] = []
            with pytest.raises(BrokenFileError, match="got damaged data"):
                chunks.extend(stored_chunks(ShortReads(bytes(damaged), most), part_of(".bz2")))
            given = b"".join(chunks)
            assert content.startswith(given)
            given_sizes.add(round(len(given), -4))
    assert given_sizes == {0, 100_000, 200_000, 300_000}


def test_short_blocks_of_bzip2_before_a_damaged_one_are_given() -> None:
    content = b"a" * 40_000_000  # blocks of about 40 bytes
    stored = bytearray(bz2.compress(content, compresslevel=1))
    stored[len(stored) // 2] ^= 0x10
    chunks: list[bytes] = []
    with pytest.raises(BrokenFileError):
        chunks.extend(stored_chunks(io.BytesIO(bytes(stored)), part_of(".bz2")))
    assert 10_000_000 < sum(map(len, chunks)) < 25_000_000
    assert max(map(len, chunks)) < 6_000_000


def test_an_error_of_the_storage_is_raised_as_it_is() -> None:
    class Unreachable(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("the storage went away")

    with pytest.raises(ConnectionResetError):
        list(stored_chunks(Unreachable(), part_of(".gz")))
