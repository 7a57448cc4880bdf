r"""Files whose lines end with `\r` alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.stored.line_ends import with_line_feeds
from tests.pipeline.corpora.formats.whole_file import read_bytes

LINES = {
    "jsonl": [b'{"text": "a"}', b'{"text": "b"} ', b' {"text": "c}"}', b'{"text": "d"}'],
    "text": [b"a", b"b", b"c}", b"d"],
    "trec": [b"LOC:city a", b"LOC:city b", b"LOC:city c}", b"LOC:city d"],
    "csv": [b"text", b"a", b"b", b"c}", b"d"],
    "semeval": [b'1\t"a"', b"R", b"Comment:", b"", b'2\t"b"', b'3\t"c}"', b'4\t"d"'],
}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r", b"\n\n", b"\r\r\n"])
@pytest.mark.parametrize("most", [1, 3, 1_000])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_ends_a_row(kind: str, end: bytes, most: int, last: bool) -> None:
    if kind == "semeval" and end in (b"\r\r", b"\n\n"):
        pytest.skip("a blank line ends a record")
    content = end.join(LINES[kind]) + (end if last else b"")
    read = read_bytes(content, format=kind, most=most)
    assert [text.strip() for text in read.texts] == ["a", "b", "c}", "d"]
    assert (read.rejections, read.broken) == ([], None)


def test_json_lines_may_end_in_both_ways() -> None:
    content = b'{"text": "a"}\n{"text": "b"}\r{"text": "c"}\r\n{"text":\r"d"}\r{"text": "e"}'
    assert read_bytes(content).texts == ["a", "b", "c", "d", "e"]


def test_a_carriage_return_within_a_line_stays_in_a_file_with_line_feeds() -> None:
    assert read_bytes(b"a\rb\nc\n", format="text").texts == ["a\rb", "c"]


@given(
    content=st.text("a}{\r\n ", max_size=40).map(str.encode),
    cuts=st.lists(st.integers(0, 40), max_size=5).map(sorted),
    json=st.booleans(),
)
def test_line_ends_do_not_depend_on_the_chunks(content: bytes, cuts: list[int], json: bool) -> None:
    bounds = [0, *cuts, len(content)]
    chunks = [content[a:b] for a, b in pairwise(bounds)]
    assert b"".join(with_line_feeds(chunks, json=json)) == b"".join(
        with_line_feeds([content], json=json)
    )
