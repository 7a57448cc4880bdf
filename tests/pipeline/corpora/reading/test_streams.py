import io
import tracemalloc
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading import streams
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.streams import (
    batches,
    ends_lines_with_a_byte,
    line_blocks,
    stored_chunks,
    text_chunks,
)
from pipeline.corpora.stored.broken_file import BrokenFileError
from tests.pipeline.corpora.formats.whole_file import ShortReads, read_bytes


def part_of(**settings: Any) -> FilePart:
    return FilePart(path="file", source_file="file", input=InputConfig(path="file", **settings))


def text_of(content: bytes, **settings: str) -> bytes:
    return b"".join(text_chunks(io.BytesIO(content), part_of(**settings)))


@given(
    content=st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n"]), max_size=30).map(b"".join),
    most=st.integers(1, 8),
)
def test_lines_do_not_depend_on_the_chunks(content: bytes, most: int) -> None:
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    chunks = stored_chunks(ShortReads(content, most), part_of())
    assert list(chain.from_iterable(line_blocks(chunks))) == expected


@given(
    lines=st.lists(st.text("abc\r", max_size=12).map(str.encode), max_size=10),
    most=st.integers(1, 8),
)
def test_a_long_line_is_cut(lines: list[bytes], most: int) -> None:
    content = b"\n".join([*lines, b""])
    chunks = stored_chunks(ShortReads(content, most), part_of())
    assert list(chain.from_iterable(line_blocks(chunks, limit=4))) == [line[:5] for line in lines]


def test_the_incomplete_line_before_damage_is_no_row() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one\ntw"
        yield b"o\nthr"
        yield b"ee"
        raise BrokenFileError("torn")

    seen: list[list[bytes]] = []
    with pytest.raises(BrokenFileError, match="torn"):
        seen.extend(line_blocks(chunks()))
    assert seen == [[b"one"], [b"two"]]


def test_batches_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BATCH_BYTES", 10)
    items = [b"x"] * 7 + [b"x" * 8] * 3 + [b"x" * 50]
    sizes = [[len(item) for item in batch] for batch in batches(items, batch_rows=3, size=len)]
    assert sizes == [[1, 1, 1], [1, 1, 1], [1, 8, 8], [8, 50]]


def test_batches_yield_the_items_before_an_error() -> None:
    def items() -> Iterator[bytes]:
        yield b"a"
        raise BrokenFileError("torn")

    read = batches(items(), batch_rows=10, size=len)
    assert next(read) == [b"a"]
    with pytest.raises(BrokenFileError):
        next(read)


def test_a_leading_byte_order_mark_is_removed() -> None:
    assert text_of(b"\xef\xbb\xbfa\xef\xbb\xbf") == b"a\xef\xbb\xbf"
    assert text_of(b"\xef\xbb\xbf") == b""
    assert text_of(b"\xef\xbb") == b"\xef\xbb"
    chunks = text_chunks(ShortReads(b"\xef\xbb\xbfa\n\xef\xbb\xbfb", 1), part_of())
    assert b"".join(chunks) == b"a\n\xef\xbb\xbfb"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037", "gb18030", "utf-7"],
)
def test_every_encoding_becomes_utf_8(encoding: str) -> None:
    text = "first line\nzwei" + ("" if encoding == "cp037" else "行 😀")
    stored = text.encode(encoding)
    for most in (1, 3, 1000):
        chunks = text_chunks(ShortReads(stored, most), part_of(encoding=encoding))
        assert b"".join(chunks).decode() == text


def test_bytes_that_an_encoding_does_not_allow_become_invalid_utf_8() -> None:
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


def test_a_large_file_is_never_held_in_memory() -> None:
    class Large(io.RawIOBase):
        left = 100 << 20

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return b"x" * (size - 1) + b"\n" if size else b""

    tracemalloc.start()
    size = sum(
        len(line)
        for lines in line_blocks(stored_chunks(Large(), part_of()))  # type: ignore[arg-type]
        for line in lines
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == (100 << 20) - 101  # a line for each time it was read
    assert peak < 8 << 20


WIDE = {
    "utf-16": "utf-16-le",  # of the text that follows the first, without a byte order mark
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32-le",
    "utf-32-be": "utf-32-be",
}


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("kind", ["jsonl", "text", "csv"])
@pytest.mark.parametrize("stray", [1, 3])
@pytest.mark.parametrize("most", [7, 1 << 20])
def test_text_of_wide_characters_after_a_stray_byte_is_broken(
    encoding: str, kind: str, stray: int, most: int
) -> None:
    row = {"jsonl": '{{"text": "good film {}"}}\r\n'}.get(kind, "good film {}\r\n")
    header = "text\r\n" if kind == "csv" else ""
    first = header + "".join(row.format(number) for number in range(50))
    second = "".join(row.format(number) for number in range(50, 100))
    stored = first.encode(encoding) + b"\n" * stray
    whole = [f"good film {number}" for number in range(50)]
    for more in (second.encode(WIDE[encoding]), b""):
        read = read_bytes(stored + more, format=kind, encoding=encoding, most=most)
        assert read.broken is not None
        assert (read.texts, read.rejections) == (whole, [])
    both = stored + second.encode(WIDE[encoding]) + b"\n" * stray
    read = read_bytes(both, format=kind, encoding=encoding, most=most)
    assert read.broken is not None
    assert (read.texts, read.rejections) == (whole, [])


def test_half_a_character_of_utf_16_rejects_its_row_alone() -> None:
    content = "a\n\ud83d\nb\n".encode("utf-16", "surrogatepass")
    read = read_bytes(content, format="text", encoding="utf-16")
    assert (read.texts, read.reasons, read.broken) == (["a", "b"], [(1, "not_utf8")], None)
