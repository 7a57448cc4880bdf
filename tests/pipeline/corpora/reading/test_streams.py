import bz2
import gzip
import io
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading import streams
from pipeline.corpora.reading.streams import (
    BrokenFileError,
    batches,
    compression_of,
    ends_lines_with_a_byte,
    line_blocks,
    stored_chunks,
    text_chunks,
)
from tests.pipeline.corpora.formats.whole_file import ShortReads

CONTENT = b"".join(b"line %d of the content\n" % number for number in range(50_000))


def compress_zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


COMPRESSIONS = [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", compress_zstd)]


def text_of(content: bytes, **settings: str) -> bytes:
    source = InputConfig(path="file", **settings)
    return b"".join(text_chunks(io.BytesIO(content), "file", source))


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("gs://bucket/a.jsonl.gz", ".gz"),
        ("a.JSONL.GZ", ".gz"),
        ("a.bz2", ".bz2"),
        ("a.zst", ".zst"),
        ("a.jsonl", None),
        ("folder.gz/a", None),
    ],
)
def test_compression_is_told_by_the_suffix(path: str, suffix: str | None) -> None:
    assert compression_of(path) == suffix


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSIONS)
class TestCompression:
    def test_members_one_after_another_are_one_content(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        stored = compress(CONTENT[:1000]) + compress(b"") + compress(CONTENT[1000:])
        assert b"".join(stored_chunks(io.BytesIO(stored), "a" + suffix)) == CONTENT
        assert b"".join(stored_chunks(ShortReads(stored, 7), "a" + suffix)) == CONTENT

    def test_zeros_after_the_last_member_are_padding(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        stored = compress(CONTENT) + b"\0" * 512
        assert b"".join(stored_chunks(io.BytesIO(stored), "a" + suffix)) == CONTENT

    def test_an_empty_file_has_no_content(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        assert list(stored_chunks(io.BytesIO(b""), "a" + suffix)) == []

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
    def test_all_that_a_truncated_file_holds_comes_before_the_error(
        self, suffix: str, compress: Callable[[bytes], bytes], share: float
    ) -> None:
        stored = compress(CONTENT)
        torn = stored[: int(len(stored) * share)]
        chunks: list[bytes] = []
        with pytest.raises(BrokenFileError, match="got the end of the file"):
            chunks.extend(stored_chunks(io.BytesIO(torn), "a" + suffix))
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
            chunks.extend(stored_chunks(io.BytesIO(stored), "a" + suffix))
        assert b"".join(chunks) == CONTENT

    def test_a_file_of_zeros_is_damage(
        self, suffix: str, compress: Callable[[bytes], bytes]
    ) -> None:
        with pytest.raises(BrokenFileError):
            list(stored_chunks(io.BytesIO(b"\0" * 100), "a" + suffix))


def test_an_error_of_the_storage_is_no_damage() -> None:
    class Unreachable(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("the storage went away")

    with pytest.raises(ConnectionResetError):
        list(stored_chunks(Unreachable(), "a.gz"))


@given(
    content=st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n"]), max_size=30).map(b"".join),
    most=st.integers(1, 8),
)
def test_lines_do_not_depend_on_the_chunks(content: bytes, most: int) -> None:
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    chunks = stored_chunks(ShortReads(content, most), "file")
    assert list(chain.from_iterable(line_blocks(chunks))) == expected


@given(
    lines=st.lists(st.text("abc\r", max_size=12).map(str.encode), max_size=10),
    most=st.integers(1, 8),
)
def test_a_long_line_is_cut(lines: list[bytes], most: int) -> None:
    content = b"\n".join([*lines, b""])
    chunks = stored_chunks(ShortReads(content, most), "file")
    assert list(chain.from_iterable(line_blocks(chunks, limit=4))) == [line[:5] for line in lines]


def test_the_torn_line_comes_with_the_break() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one\ntw"
        yield b"o\nthr"
        yield b"ee"
        raise BrokenFileError("torn")

    seen: list[list[bytes]] = []
    with pytest.raises(BrokenFileError, match="torn") as error:
        seen.extend(line_blocks(chunks()))
    assert seen == [[b"one"], [b"two"]]
    assert error.value.rest == b"three"


def test_batches_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BATCH_BYTES", 10)
    items = [b"x"] * 7 + [b"x" * 8] * 3 + [b"x" * 50]
    sizes = [[len(item) for item in batch] for batch in batches(items, batch_rows=3, size=len)]
    assert sizes == [[1, 1, 1], [1, 1, 1], [1, 8, 8], [8, 50]]


def test_batches_give_what_came_before_a_break() -> None:
    def items() -> Iterator[bytes]:
        yield b"a"
        raise BrokenFileError("torn")

    read = batches(items(), batch_rows=10, size=len)
    assert next(read) == [b"a"]
    with pytest.raises(BrokenFileError):
        next(read)


def test_a_leading_byte_order_mark_is_left_out() -> None:
    assert text_of(b"\xef\xbb\xbfa\xef\xbb\xbf") == b"a\xef\xbb\xbf"
    assert text_of(b"\xef\xbb\xbf") == b""
    assert text_of(b"\xef\xbb") == b"\xef\xbb"
    source = InputConfig(path="file")
    chunks = text_chunks(ShortReads(b"\xef\xbb\xbfa\n\xef\xbb\xbfb", 1), "file", source)
    assert b"".join(chunks) == b"a\n\xef\xbb\xbfb"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037", "gb18030", "utf-7"],
)
def test_every_encoding_becomes_utf_8(encoding: str) -> None:
    text = "first line\nzwei" + ("" if encoding == "cp037" else "行 😀")
    stored = text.encode(encoding)
    source = InputConfig(path="file", encoding=encoding)
    for most in (1, 3, 1000):
        chunks = text_chunks(ShortReads(stored, most), "file", source)
        assert b"".join(chunks).decode() == text


def test_what_an_encoding_does_not_allow_is_not_utf_8_either() -> None:
    assert text_of(b"a\x81\nb", encoding="gbk") == b"a\xff\nb"
    assert text_of("a".encode("utf-16-le") + b"\x00\xd8b\x00", encoding="utf-16-le") == b"a\xffb"
    assert text_of(b"a\xe9", encoding="ascii") == b"a\xff"
    assert text_of(b"a+2AA-b", encoding="utf-7").decode("utf-8", "replace").count("\ufffd") == 1


def test_utf_16_without_a_byte_order_mark_is_broken() -> None:
    with pytest.raises(BrokenFileError, match="expected utf-16 text, got none"):
        text_of("a".encode("utf-16-le"), encoding="utf-16")


def test_lines_of_utf_16_do_not_end_with_a_byte() -> None:
    assert all(map(ends_lines_with_a_byte, ["utf-8", "utf-8-sig", "UTF8", "latin-1", "gbk"]))
    assert not any(map(ends_lines_with_a_byte, ["utf-16", "utf-16-be", "utf-32-le", "cp037"]))


def test_a_large_file_is_never_held() -> None:
    class Large(io.RawIOBase):
        left = 100 << 20

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return b"x" * (size - 1) + b"\n" if size else b""

    tracemalloc.start()
    size = sum(
        len(line)
        for lines in line_blocks(stored_chunks(Large(), "file"))  # type: ignore[arg-type]
        for line in lines
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == (100 << 20) - 100
    assert peak < 8 << 20
