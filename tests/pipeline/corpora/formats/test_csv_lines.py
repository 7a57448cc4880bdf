import csv
import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.corpora.formats.csv_lines import RETURN, CutLine, csv_lines
from tests.pipeline.corpora.formats.whole_file import read_bytes


@given(
    content=st.text('ab"\n\r', max_size=40).map(str.encode),
    cuts=st.lists(st.integers(0, 40), max_size=5).map(sorted),
)
@example(content=b"a\r" + 12 * b"b", cuts=[2])
@example(content=b"a\n\rb\r\r\n\rc\r", cuts=[2, 3, 5, 6])
def test_lines_do_not_depend_on_how_the_content_is_divided_into_chunks(
    content: bytes, cuts: list[int]
) -> None:
    chunks = [content[begin:end] for begin, end in pairwise([0, *cuts, len(content)])]
    found = [
        (re.sub("[\r\n]+$", "", line).replace(RETURN, "\r"), isinstance(line, CutLine))
        for block in csv_lines(chunks, delimiter=",", quote='"', escape=None, limit=9)
        for line in block.lines
    ]
    text = content.decode()
    first_end = re.search("\r*\n|\r", text)
    if first_end is not None and first_end[0] == "\r":
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    else:
        text = re.sub("\r+(?=\n|$)", "\n", text)
    lines = [line for line in text.split("\n") if line]
    found = [(line, is_cut) for line, is_cut in found if line]
    assert len(found) == len(lines)
    for (line, is_cut), whole in zip(found, lines, strict=True):
        assert line == whole or (is_cut and whole.startswith(line))
        # The limit counts line ends, too.
        assert is_cut == (len(whole) > 9) or 6 < len(whole) < 10


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONE])
@pytest.mark.parametrize("most", [1, 7, 1 << 20])
def test_a_carriage_return_is_content_where_other_lines_end_with_a_line_feed(
    end: str, quoting: int, most: int
) -> None:
    texts = [
        "a fine film",
        "fine\rbut the end",
        "\ra\r\rb\r\rc",
        "x" * 90,
        "\r".join("abcdefghijklm"),
    ]
    stored = "".join(f"{number},{text}{end}" for number, text in enumerate(texts))
    read = read_bytes(f"id,text{end}{stored}".encode(), format="csv", most=most)
    assert (read.texts, read.rejections) == (texts, [])


def test_a_row_with_a_carriage_return_and_too_many_fields_is_one_rejection() -> None:
    read = read_bytes(b"id,text\n1,a\n2,fine\rbut, the end\n3,c\n", format="csv")
    assert (read.texts, read.reasons) == (["a", "c"], [(1, "malformed_row")])
    assert read.rejections[0]["raw"] == b"2,fine\rbut, the end\n"


def test_a_file_with_carriage_returns_behind_one_with_line_feeds_loses_no_rows() -> None:
    rows = [f"{number},film {number}" for number in range(100)]
    content = "\n".join(["id,text", *rows, ""]) + "\r".join(["id,text", *rows, ""])
    read = read_bytes(content.encode(), format="csv")
    assert (len(read.documents), read.rejections, read.headers_skipped) == (200, [], 1)


def test_an_escaped_carriage_return_is_one() -> None:
    content = b'id,text\n1,"a\\\r\\"b"\n2,c\\\rd\n'
    assert read_bytes(content, format="csv", escape="\\").texts == ['a\r"b', "c\rd"]
