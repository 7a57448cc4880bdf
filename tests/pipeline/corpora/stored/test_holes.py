import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.corpora.stored.holes import without_holes
from tests.pipeline.corpora.formats.whole_file import read_bytes

TEXTS = [f"row {row}" for row in range(100)]
HEADERS = {"csv": b"text\n"}
LINES = {
    "jsonl": b'{"text": "%s"}\n',
    "csv": b"%s\n",
    "text": b"%s\n",
    "trec": b"LOC:city %s\n",
}


def content_of(kind: str, texts: list[str]) -> bytes:
    return HEADERS.get(kind, b"") + b"".join(LINES[kind] % text.encode() for text in texts)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("size", [16, 500, 4_096, 40_000])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le"])
@pytest.mark.parametrize("most", [7, 1_000_000])
def test_all_rows_around_a_hole_are_used(
    kind: str, size: int, place: str, encoding: str, most: int
) -> None:
    content = content_of(kind, TEXTS).decode()
    hole = bytes(size * (2 if encoding == "utf-16-le" else 1))
    at = {"first": 0, "middle": content.index("\n", 300) + 1, "last": len(content)}[place]
    stored = content[:at].encode(encoding) + hole + content[at:].encode(encoding)
    read = read_bytes(stored, format=kind, encoding=encoding, most=most)
    assert (read.texts, read.rejections) == (TEXTS, [])
    assert read.broken == "expected text, got 16 or more zero bytes in a row: rows may be missing"


def test_json_before_a_hole_needs_no_line_feed() -> None:
    read = read_bytes(b'{"text": "a"}\n{"text": "b"}' + bytes(4_096))
    assert (read.texts, read.rejections) == (["a", "b"], [])
    assert "zero bytes in a row" in str(read.broken)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b'{"text": "fifteen fifteen"}\n' + bytes(50), "utf-8"),
        (b"a.txt" + bytes(95) + b"0000644\0" + bytes(149) + b"ustar\x0000" + b"a" * 900, "utf-8"),
        (b"\x01\0\x02\0\x03\0\0\0" * 100, "utf-8"),
        (b"\xff\0\0\0\x01\xff\xff\0" * 100, "latin-1"),
    ],
)
def test_an_encoding_is_only_advised_if_the_bytes_are_text_in_it(
    content: bytes, encoding: str
) -> None:
    broken = read_bytes(content, encoding=encoding).broken
    assert broken is not None
    assert "Add `encoding" not in broken


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_with_a_hole_is_named_as_such(encoding: str) -> None:
    content = content_of("jsonl", TEXTS).decode().encode(encoding)
    for stored in (content + bytes(4_096), bytes(4_096) + content):
        assert f"Add `encoding: {encoding}`" in str(read_bytes(stored).broken)


def test_a_tar_archive_is_named() -> None:
    content = b"a.txt" + bytes(252) + b"ustar  \0" + bytes(300)
    assert read_bytes(content).broken == "expected jsonl, got a tar archive. Unpack it."


def test_a_hole_that_is_a_line_is_a_rejected_row() -> None:
    read = read_bytes(b'{"text": "a"}\n' + bytes(40) + b'\r\n{"text": "b"}\n')
    assert (read.texts, read.reasons) == (["a", "b"], [(1, "malformed_row")])


@given(
    content=st.lists(
        st.sampled_from([b"a", b"\n", b"\0", b"\0" * 15, b"\0" * 16, b"\0" * 40]), max_size=12
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 200), max_size=6).map(sorted),
)
def test_holes_do_not_depend_on_the_chunks(content: bytes, cuts: list[int]) -> None:
    chunks = [content[a:b] for a, b in pairwise([0, *cuts, len(content)])]
    assert _read(chunks) == _read([content])


def _read(chunks: list[bytes]) -> tuple[bytes, bool]:
    """What is read, with holes of one length, and whether the file is broken."""
    found = b""
    broken = False
    try:
        for chunk in without_holes(chunks):
            found += chunk
    except BrokenFileError:
        broken = True
    return re.sub(rb"\0{16,}", bytes(16), found), broken


HOLED = {
    "jsonl": b'{"text": "good film of %d"}\n',
    "csv": b'%d,"good film"\n',
    "text": b"good film of %d\n",
    "trec": b"LOC:city good film of %d\n",
    "semeval": b'%d\t"a <e1>good</e1> <e2>film</e2>"\nOther\nComment:\n\n',
}


@pytest.mark.parametrize("kind", HOLED)
@pytest.mark.parametrize("size", [16, 40_000])
@pytest.mark.parametrize("most", [7, 1_000_000])
def test_no_row_is_made_of_two_rows_around_a_hole(kind: str, size: int, most: int) -> None:
    rows = [HOLED[kind] % row for row in range(10, 20)]
    place = rows[3].index(b"good") + 2
    joined = rows[3][:place] + bytes(size) + rows[5][place:]
    content = b"id,text\n" * (kind == "csv") + b"".join([*rows[:3], joined, *rows[6:]])
    for errors in ("reject", "replace"):
        read = read_bytes(content, format=kind, most=most, errors=errors)
        assert read.reasons == [(3, "malformed_row")]
        assert len(read.documents) == 7
        assert "zero bytes within it" in read.rejections[0]["detail"]
        assert read.broken is not None
