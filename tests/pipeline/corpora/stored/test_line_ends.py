r"""Files whose lines end with `\r` alone."""

import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.dividing import divide_file
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.row_numbers import count_rows, number_rows
from pipeline.corpora.stored.line_ends import with_line_feeds
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_stream

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


def test_many_blanks_before_a_line_end_may_be_at_the_end_of_a_chunk() -> None:
    chunks = [b'{"text": "a"}' + 1_000 * b" ", b'\r{"text": "b"}']
    assert b"".join(with_line_feeds(chunks, json=True)).count(b"\n") == 1


@pytest.mark.parametrize("kind", ["text", "trec", "semeval"])
def test_lines_of_one_file_may_end_in_both_ways(kind: str) -> None:
    ends = [b"\r", b"\r", b"\n", b"\r\n", b"\r\r\n", b"\r", b"\n"]
    content = b"".join(map(bytes.__add__, LINES[kind], ends))
    read = read_bytes(content, format=kind)
    assert [text.strip() for text in read.texts] == ["a", "b", "c}", "d"]
    assert (read.rejections, read.broken) == ([], None)


@pytest.mark.parametrize("part_bytes", [1, 5, 9, 1_000])
def test_carriage_returns_end_rows_in_divided_files(part_bytes: int) -> None:
    content = b"one\rtwo\r\rthree\nfour\r\nfive\rsix"
    path = "a.txt"
    whole = FilePart(path=path, source_file=path, input=InputConfig(path=path, format="text"))
    parts = divide_file(whole, size=len(content), part_bytes=part_bytes)
    counts = {(part.path, part.start): count_rows(io.BytesIO(content), part) for part in parts}
    found = [
        (row["source_row"], row["text"])
        for part in number_rows(parts, counts)
        for row in read_stream(io.BytesIO(content), part, corpus=CorpusConfig()).documents
    ]
    assert found == list(enumerate(["one", "two", "three", "four", "five", "six"]))


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


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.parametrize("begin", [b"", b"}"])
@pytest.mark.parametrize("space", [b" ", b"\r", b"\t\r"])
def test_little_is_held_of_white_space_without_end(json: bool, begin: bytes, space: bytes) -> None:
    taken = came = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for chunk in (begin, *[space * 30_000] * 40):
            taken += len(chunk)
            assert taken - came < 200_000
            yield chunk

    for chunk in with_line_feeds(chunks(), json=json):
        came += len(chunk)
    assert came == taken
