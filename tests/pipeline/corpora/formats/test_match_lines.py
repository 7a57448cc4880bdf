import re

from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats.match_lines import match_lines
from pipeline.corpora.reading.failures import Failure
from pipeline.corpora.reading.parts import FilePart

PART = FilePart(path="rows", source_file="rows", input=InputConfig(path="rows"))


def test_the_groups_of_the_pattern_are_the_columns() -> None:
    rows = match_lines(
        [b"pos a b\r", b"neg", b"nonsense!"],
        PART,
        pattern=re.compile(r"(?P<label>pos|neg)(?: (?P<text>.*))?"),
        expected="a label and a text",
        limit=100,
    )
    assert rows.columns == {"label": ["pos", "neg", None], "text": ["a b", None, None]}
    assert rows.failures == {
        2: Failure("malformed_row", "expected a label and a text, got other text")
    }


def test_a_line_that_cannot_be_decoded_keeps_that_failure() -> None:
    rows = match_lines(
        [b"\xff", b"x" * 9],
        PART,
        pattern=re.compile(r"(?P<text>a)"),
        expected="a",
        limit=8,
    )
    assert [rows.failures[index].reason for index in (0, 1)] == ["not_utf8", "text_too_large"]
