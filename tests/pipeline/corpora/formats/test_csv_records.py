"""What one damaged or odd row costs: that row, never its neighbors, and nothing in silence."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats import csv_records
from pipeline.corpora.formats.csv_records import CsvRecords, Record
from pipeline.corpora.formats.csv_shape import RowShape
from pipeline.corpora.reading.values import untyped_label_value
from pipeline.corpora.stored.broken_file import BrokenFileError
from tests.pipeline.corpora.formats.whole_file import Read, read_bytes

ESCAPED = [
    r'1,"she said \"fine\" and left",praise',
    r'2,"\"quoted from the start\", then more",praise',
    r'3,"it ends with \"quotes\"",praise',
    r'4,"a path C:\\temp\\",praise',
    r'5,"a tab \t and C:\new",praise',
    "6,plain,praise",
]
ESCAPED_TEXTS = [
    'she said "fine" and left',
    '"quoted from the start", then more',
    'it ends with "quotes"',
    "a path C:\\temp\\",
    "a tab \\t and C:\\new",
    "plain",
]
SMALL = {"max_text_bytes": 1_000}  # rows of up to 1 MiB and 8,000 bytes


def read_csv(lines: Sequence[str] | str, **settings: Any) -> Read:
    text = lines if isinstance(lines, str) else "".join(f"{line}\n" for line in lines)
    return read_bytes(text.encode(), format="csv", **settings)


def with_header(lines: Sequence[str]) -> list[str]:
    return ["id,text,label", *lines]


def invoices(first: int, last: int) -> list[str]:
    return [f"x{number},the invoice number {number},billing" for number in range(first, last)]


@pytest.mark.parametrize("double_quote", [True, False])
def test_quotes_that_a_backslash_escapes_are_read_with_the_key(double_quote: bool) -> None:
    read = read_csv(with_header(ESCAPED), escape="\\", double_quote=double_quote)
    assert read.texts == ESCAPED_TEXTS
    assert read.rejections == []


def test_quotes_that_a_backslash_escapes_reject_their_rows_without_the_key() -> None:
    read = read_csv(with_header(ESCAPED))
    assert read.texts == ["a path C:\\\\temp\\\\", "a tab \\t and C:\\new", "plain"]
    assert read.reasons == [(row, "malformed_row") for row in range(3)]
    for rejection in read.rejections:
        assert (
            "if \\ escapes \" in this file, set escape: '\\' for its input" in rejection["detail"]
        )


def test_an_escape_before_a_line_end_and_outside_quotes() -> None:
    read = read_csv('text,label\n"two\\\nlines",a\none\\, two,b\n', escape="\\")
    assert read.texts == ["two\nlines", "one, two"]
    read = read_csv("text\tlabel\na\\\tb\tx\n", escape="\\", delimiter="\t", quote=None)
    assert read.texts == ["a\tb"]


def test_text_after_a_closing_quote_is_kept_if_the_config_is_not_strict() -> None:
    content = 'text,label\n"a" b,x\n"c",y\n'
    assert read_csv(content).texts == ["c"]
    assert read_csv(content, strict=False).texts == ["a b", "c"]


def test_two_quotes_are_two_ends_without_double_quote() -> None:
    content = 'text,label\n"a ""b""",x\n"",y\n"\\"\\"",z\nc,""\n'
    assert read_csv(content).texts[0] == 'a "b"'
    read = read_csv(content, double_quote=False, escape="\\")
    assert read.texts == ['""', "c"]
    assert read.reasons == [(0, "malformed_row"), (1, "empty_text")]


def test_a_quote_that_is_never_closed_costs_its_row() -> None:
    lines = [*invoices(0, 300), 'x300,"the unfinished quote,billing', *invoices(301, 600)]
    read = read_csv(with_header(lines))
    assert read.reasons == [(300, "malformed_row")]
    assert read.rejections[0]["detail"] == ("expected a closing quote, got the end of the file")
    assert read.rejections[0]["raw"] == b'x300,"the unfinished quote,billing\n'
    assert read.texts == [f"the invoice number {n}" for n in range(600) if n != 300]


@pytest.mark.parametrize(
    "after",
    [
        'x450,"a quoted one",billing',
        'x450,"another unfinished one,billing',
        'x450,"",billing',
        'x450,two quotes: "",billing',
        'x450,a pipe of 5",billing',
        'x450,"two',
    ],
)
def test_a_quote_opened_by_mistake_is_not_closed_by_a_later_row(after: str) -> None:
    lines = [
        *invoices(0, 300),
        'x300,"the unfinished quote,billing',
        *invoices(301, 450),
        *([after, 'lines",billing'] if after.endswith("two") else [after]),
        *invoices(451, 600),
    ]
    read = read_csv(with_header(lines))
    assert read.rows_read == 600
    costs = {300} | ({450} if "unfinished" in after or '""' in after.split(",")[1] else set())
    assert {row for row, _ in read.reasons} <= costs
    assert read.reasons[0] == (300, "malformed_row")
    assert "the invoice number 301" in read.texts
    assert "the invoice number 599" in read.texts


def test_every_row_with_an_open_quote_is_a_rejection_of_its_own() -> None:
    lines = [f'x{n},"unfinished {n},billing' if n % 3 == 0 else f"x{n},a,b" for n in range(30)]
    read = read_csv(with_header(lines))
    assert read.reasons == [(n, "malformed_row") for n in range(0, 30, 3)]
    assert len(read.texts) == 20


def test_lines_of_a_text_whose_quote_is_lost_belong_to_its_row() -> None:
    read = read_csv('id,text,label\n1,"Dear\nSir\nor Madam,x\n2,"two\nlines",y\n3,b,z\n')
    assert read.texts == ["two\nlines", "b"]
    assert read.reasons == [(0, "malformed_row")]


def test_not_every_line_behind_an_open_quote_belongs_to_its_row() -> None:
    read = read_csv('id,text,label\n1,"open,x\n' + "too few fields\n" * 500 + "2,b,y\n" * 600)
    assert read.texts == ["b"] * 600
    assert read.rows_read == 1 + 400 + 600


def test_long_texts_of_many_lines_are_read() -> None:
    text = "\n".join(["Dear Sir, thank you", "", 'and "so on"'] * 50)
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows([["text", "label"], [text, "a"], ["b", "c"]])
    assert read_csv(buffer.getvalue()).texts == [text, "b"]


def test_rows_that_two_stray_quotes_join_are_told_apart() -> None:
    lines = ['x0,"unfinished,billing', *invoices(1, 30), 'x30,a pipe of 5",billing']
    read = read_csv(with_header(lines))
    assert read.texts == [f"the invoice number {n}" for n in range(1, 30)] + ['a pipe of 5"']
    assert read.reasons == [(0, "malformed_row")]
    assert "30 lines later" in read.rejections[0]["detail"]


def test_a_quote_that_is_never_closed_costs_its_row_in_a_file_larger_than_the_limit() -> None:
    rows = "pos,good enough\n" * 200_000
    read = read_csv('label,text\nneg,"open\n' + rows + 'neg,"open\n' + rows, **SMALL)
    assert read.reasons == [(0, "malformed_row"), (200_001, "malformed_row")]
    assert len(read.documents) == 400_000


@pytest.mark.parametrize("line", ["pos,inner text", "no delimiter", 'pos,""inner""'])
def test_the_inside_of_a_row_that_is_too_large_is_no_document(line: str) -> None:
    inside = f"{line}\n" * 200_000
    read = read_csv(f'label,text\npos,a\nneg,"{inside}"\npos,b\n"x\ny",c\n', **SMALL)
    assert read.reasons == [(1, "text_too_large")]
    assert read.texts == ["a", "b", "c"]


@pytest.mark.parametrize("quote", ['"', ""])
def test_the_inside_of_a_line_that_is_too_large_is_no_document(quote: str) -> None:
    long = "x, y" * 500_000
    end = "pos,inside\n" if quote else ""
    read = read_csv(f"label,text\npos,a\nneg,{quote}{long}\n{end}{end}{quote}\npos,b\n", **SMALL)
    assert read.reasons[0] == (1, "text_too_large")
    assert read.texts == ["a", "b"]


def test_many_open_quotes_in_large_files_end_in_a_broken_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_records, "_MAX_PASSES", 2)
    content = 'neg,"open\n' + "pos,good enough\n" * 200_000
    config = InputConfig(path="a.csv", format="csv")
    records = CsvRecords(lambda: iter([content.encode()] * 4), config, limit=1 << 20)
    records.shape = RowShape(2, 2)
    found: list[Record] = []
    with pytest.raises(BrokenFileError, match="expected every quote to be closed"):
        found.extend(records)
    assert len(found) == 200_001


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("header", ["id,text,label", '"id","text","label"'])
def test_a_repeated_header_is_no_row(mark: str, header: str) -> None:
    file = f"{mark}{header}\n1,a,x\n2,b,y\n"
    header_alone = file.splitlines(keepends=True)[0]
    for limit in (1, 2, 2_000):
        read = read_csv(file * 3 + header_alone * 2, batch_rows=limit)
        assert read.texts == ["a", "b"] * 3
        assert read.rejections == []
        assert read.headers_skipped == 4


def test_the_names_of_the_columns_are_no_row_where_the_file_has_no_header() -> None:
    read = read_csv("a,x\ntext,label\nb,y\n", column_names=("text", "label"))
    assert read.texts == ["a", "b"]


def test_a_header_in_the_last_line_of_another_file_costs_that_row() -> None:
    read = read_csv("id,text,label\n1,a,x\n2,b,yid,text,label\n3,c,z\n")
    assert read.texts == ["a", "c"]
    assert read.reasons == [(1, "malformed_row")]
    assert "5: the header stands behind it in the same line" in read.rejections[0]["detail"]


@pytest.mark.parametrize("blank", ["", "   ", ",,", " , ,", '"","",""', "\t", "\u00a0,,"])
def test_a_row_without_any_value_is_a_blank_line(blank: str) -> None:
    read = read_csv(with_header(["1,a,x", blank, "2,b,y", blank, blank]))
    assert read.texts == ["a", "b"]
    assert read.rows_read == 2


@pytest.mark.parametrize("extra", [",", ",,,", ", ,"])
def test_empty_fields_at_the_end_of_a_row_are_nothing(extra: str) -> None:
    read = read_csv(with_header([f"1,a,x{extra}", f"2,b,y{extra}", f"3,c,z{extra}w"]))
    assert read.texts == ["a", "b"]
    assert read.reasons == [(2, "malformed_row")]


def test_columns_without_a_name_at_the_end_of_the_header_may_be_absent() -> None:
    read = read_csv("label,text,,,\nham,a,,,\nham,b\nham,c,more,,\nham,d,,,,\nham\n")
    assert read.texts == ["a", "b", "c", "d"]
    assert read.rejections[0]["detail"] == "expected 2 to 5 fields, got 1"


@pytest.mark.parametrize("escape", ["", "ab", ",", '"', "\n"])
def test_an_escape_is_one_other_character(escape: str) -> None:
    with pytest.raises(ValueError, match="escape: expected null or one character"):
        read_csv("text\na\n", escape=escape)


MARKS = st.sampled_from("\\x,")
FIELDS = st.text(st.sampled_from('ab ,"\\\n\r'), max_size=6).map("v{}".format)


@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS), max_size=8),
    most=st.integers(1, 9),
    escaped=st.booleans(),
    always=st.booleans(),
)
def test_rows_written_with_an_escape_are_read_back(
    rows: list[tuple[str, str]], most: int, escaped: bool, always: bool
) -> None:
    quoting: Any = csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL
    style: dict[str, Any] = {"escapechar": "\\", "doublequote": False} if escaped else {}
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=quoting, **style).writerows([("text", "label"), *rows])
    read = read_bytes(
        buffer.getvalue().encode(),
        most=most,
        format="csv",
        escape=style.get("escapechar"),
        double_quote=style.get("doublequote", True),
    )
    assert read.rejections == []
    stripped = [(text, untyped_label_value(label)) for text, label in rows]
    assert [(each["text"], each["label"]) for each in read.documents] == stripped


@given(content=st.text(st.sampled_from('ab,"\\\n\r'), max_size=60), most=st.integers(1, 9))
def test_what_is_read_does_not_depend_on_the_chunks(content: str, most: int) -> None:
    encoded = f"text,label\n{content}".encode()
    whole = read_bytes(encoded, format="csv")
    assert read_bytes(encoded, format="csv", most=most) == whole


@given(quote=st.integers(0, 167), flips=st.lists(st.tuples(st.integers(0, 167), MARKS), max_size=3))
def test_a_damaged_file_keeps_its_other_rows(quote: int, flips: list[tuple[int, str]]) -> None:
    # Two quotes may make one row of two that no reader can tell from a text with a line end.
    lines = [f"x{number:02},text {number:02},z" for number in range(12)]
    text = list("".join(f"{line}\n" for line in lines))
    damaged = set()
    for at, mark in [*flips, (quote, '"')]:
        if text[at] not in ",\n":  # a line with fewer fields may belong to the row before it
            text[at] = mark
            damaged.add(at // len(lines[0] + "\n"))
    read = read_csv("id,text,label\n" + "".join(text))
    assert read.rows_read == 12
    assert {f"text {n:02}" for n in range(12) if n not in damaged} <= set(read.texts)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blanks", [3, 999, 1_000, 1_001, 40_000])
def test_many_blank_lines_are_no_rows_but_stay_in_a_quoted_field(end: str, blanks: int) -> None:
    gap = end * blanks
    content = f'text,label{end}a,x{end}{gap}"b{gap}c",y{end}{gap}"open{end}d,z{end}{gap}'
    content += 100 * f"e,w{end}"
    read = read_bytes(content.encode(), format="csv", most=4_000)
    assert read.texts == ["a", f"b{gap}c", "d", *100 * ["e"]]
    assert read.reasons == [(2, "malformed_row")]


LETTER = '{},"Dear support, no {}\nI write again, as before\n\nBest, Ann"\n'


@pytest.mark.parametrize("most", [7, 1 << 20])
@pytest.mark.parametrize("rows", [1, 20])
def test_a_file_that_is_cut_within_a_field_of_several_lines_is_broken(rows: int, most: int) -> None:
    content = "".join(LETTER.format(number, number) for number in range(rows + 1))
    whole = "".join(LETTER.format(number, number) for number in range(rows))
    for end in range(len(whole) + len("1,") + len(str(rows)), len(content) - 2):
        read = read_bytes(f"id,text\n{content[:end]}".encode(), format="csv", most=most)
        assert "got the end of the file within" in str(read.broken), content[len(whole) : end]
        assert (len(read.documents), read.rejections) == (rows, [])


def test_a_cut_field_is_broken_without_texts_of_several_lines_before_it() -> None:
    rows = [f"{number},good" for number in range(9)]
    for cut in ('9,"Dear Sir\nI am\nangry, and', '9,"Dear Sir\nI am\nangry\n', '9,"Dear'):
        read = read_csv("id,text\n" + "".join(f"{row}\n" for row in rows) + cut)
        assert read.broken is not None
        assert (len(read.documents), read.rejections) == (9, [])


def test_a_quote_opened_by_mistake_near_the_end_costs_its_row() -> None:
    for after in range(4):
        read = read_csv(with_header([*invoices(0, 9), '9,"open,x', *invoices(0, after)]))
        assert (read.broken, read.reasons) == (None, [(9, "malformed_row")])
        assert len(read.documents) == 9 + after


@pytest.mark.parametrize("most", [7, 1 << 20])
@pytest.mark.parametrize(
    "lines",
    [
        ['300,"Dear \\"support\\", hello', "I write again, as before", 'Best, Ann"'],
        ['300,"Dear support, hello', 'I write \\"again\\", as before', "x, y", 'Best, Ann"'],
    ],
)
def test_no_row_is_invented_within_a_field_with_quotes_that_a_backslash_escapes(
    lines: list[str], most: int
) -> None:
    content = "".join(f"{line}\n" for line in ["id,text", "299,a", *lines, "301,b"])
    read = read_bytes(content.encode(), format="csv", most=most)
    assert read.texts == ["a", "b"]
    assert read.reasons == [(1, "malformed_row")]
    assert "set escape: '\\' for its input" in read.rejections[0]["detail"]
    assert read.rejections[0]["raw"].decode().splitlines() == lines


@pytest.mark.parametrize("number", ["1", "x1", "55691006-3207-4194-8f65-1856bfb94139"])
def test_a_text_of_many_lines_with_commas_is_no_rows(number: str) -> None:
    text = "\n".join(["Dear all, hello", *(f"item {n}, price {n}" for n in range(12)), "Best, Ann"])
    read = read_csv(f'id,text\n{number},"{text}"\n2,b\n')
    assert (read.texts, read.rejections) == ([text, "b"], [])
