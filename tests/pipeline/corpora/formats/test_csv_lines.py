from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.corpora.formats.csv_lines import CutLine, csv_lines


@given(
    content=st.text('ab"\n\r', max_size=40).map(str.encode),
    cuts=st.lists(st.integers(0, 40), max_size=5).map(sorted),
)
@example(content=b"a\r" + 12 * b"b", cuts=[2])
def test_lines_do_not_depend_on_how_the_content_is_divided_into_chunks(
    content: bytes, cuts: list[int]
) -> None:
    chunks = [content[begin:end] for begin, end in pairwise([0, *cuts, len(content)])]
    found = [
        (str(line).strip("\r\n"), isinstance(line, CutLine))
        for block in csv_lines(chunks, quote='"', escape=None, limit=9)
        for line in block.lines
    ]
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
    lines = plain.decode().split("\n") if content else []
    assert [line for line, _ in found] == lines
    for line, is_cut in found:
        assert is_cut == (len(line) > 9) or 7 < len(line) < 10  # the limit counts line ends, too
