import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import ConfigError
from pipeline.config.sections import ColumnsConfig
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file

NAMED = ("label", "text")


def test_every_quoting_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "id,text,label\n"
        "1,plain,pos\n"
        '2,"with, comma",neg\n'
        '3,"two\nlines",pos\n'
        '4,"a ""quoted"" word",neg\r\n'
        '5,  spaces  ,"pos"\n'
        "\n"
        '6,a "word" within,neg',
        encoding="utf-8",
        newline="",
    )
    read = read_file(path, format="csv", columns=ColumnsConfig(id="id"))
    assert [(each["document_id"], each["text"], each["label"]) for each in read.documents] == [
        ("1", "plain", "pos"),
        ("2", "with, comma", "neg"),
        ("3", "two\nlines", "pos"),
        ("4", 'a "quoted" word', "neg"),
        ("5", "  spaces  ", "pos"),
        ("6", 'a "word" within', "neg"),
    ]
    assert read.column("source_row") == list(range(6))


@pytest.mark.parametrize(
    ("header", "delimiter", "hint"),
    [
        ("id;text;k", ",", 'If ";" divides its fields, set delimiter: ";" for its input.'),
        ("id,text", ";", 'If "," divides its fields, set delimiter: "," for its input.'),
        ("id\ttext", ",", 'If "\\t" divides its fields, set delimiter: "\\t" for its input.'),
        ('"id";"text"', ",", 'If ";" divides its fields, set delimiter: ";" for its input.'),
        ("7,a good film", ",", "If its first line is a row, set column_names for its input."),
        ('{"id": 1, "text": "a"}', ",", "are JSON objects, set format: jsonl for its input."),
        ("id,body", ",", "Name the right one under corpus.columns."),
    ],
)
def test_the_error_about_a_header_names_what_may_be_wrong(
    tmp_path: Path, header: str, delimiter: str, hint: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n")
    with pytest.raises(ConfigError, match="expected a column 'text', got") as raised:
        read_file(path, format="csv", delimiter=delimiter, columns=ColumnsConfig(id="id"))
    assert str(raised.value).endswith(hint)


def test_a_text_in_the_place_of_a_header_is_shortened(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("good " * 1000)
    with pytest.raises(ConfigError) as raised:
        read_file(path, format="csv")
    assert len(str(raised.value)) < len(str(path)) + 300


@given(
    rows=st.lists(st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=8)] * 2), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    most=st.integers(1, 9),
)
def test_rows_written_by_the_csv_module_are_read_back(
    rows: list[tuple[str, str]], delimiter: str, most: int
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "kept"), *rows])
    read = read_bytes(
        buffer.getvalue().encode(),
        most=most,
        format="csv",
        delimiter=delimiter,
        columns=ColumnsConfig(keep=("kept",)),
    )
    rows = [row for row in rows if any(map(str.strip, row)) and row != ("text", "kept")]
    blank = [row for row, (text, _) in enumerate(rows) if not text.strip()]
    assert read.reasons == [(row, "empty_text") for row in blank]
    assert [(each["text"], each["kept"]) for each in read.documents] == [
        row for row in rows if row[0].strip()
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_a_line(end: str) -> None:
    content = end.join(["label,text", "pos,one", 'neg,"two', 'lines"', "", "pos,three"])
    read = read_bytes(content.encode(), format="csv")
    assert read.texts == ["one", f"two{end}lines", "three"]


def test_a_tab_separated_file_without_header_or_quotes() -> None:
    content = b'ham\tHe said "no\nspam\t"WIN\tnow\nspam\tWIN &lt;3\n'
    read = read_bytes(content, format="csv", delimiter="\t", quote=None, column_names=NAMED)
    assert read.texts == ['He said "no', "WIN &lt;3"]
    assert read.column("label") == ["ham", "spam"]
    assert read.reasons == [(1, "malformed_row")]
    assert read.rejections[0]["detail"] == "expected 2 fields, got 3"
    assert read.rejections[0]["raw"] == b'spam\t"WIN\tnow\n'


def test_another_quote() -> None:
    read = read_bytes(b"label,text\npos,'a, \"b'\n", format="csv", quote="'")
    assert read.texts == ['a, "b']


def test_only_the_rows_with_a_wrong_number_of_fields_are_rejected() -> None:
    content = b"label,text\npos,a\nneg\nneg,b,c\npos,d\n   \n"
    read = read_bytes(content, format="csv")
    assert read.texts == ["a", "d"]
    assert read.reasons == [(1, "malformed_row"), (2, "malformed_row")]


def test_a_line_of_megabytes_is_rejected_alone() -> None:
    content = b"label,text\npos,a\nneg," + "文".encode() * (1 << 20) + b"\npos,b\n"
    read = read_bytes(content, format="csv", max_text_bytes=1_000)
    assert read.texts == ["a", "b"]
    assert read.reasons == [(1, "text_too_large")]
    assert read.rejections[0]["raw"].startswith("neg,文文".encode())


def test_a_field_larger_than_the_default_of_the_csv_module_is_read() -> None:
    text = "x" * (131_072 + 1)
    assert read_bytes(f"label,text\npos,{text}\n".encode(), format="csv").texts == [text]


def test_nul_and_byte_order_marks_inside_a_text_are_kept() -> None:
    content = "\ufefflabel,text\npos,a\x00b\nneg,\ufeffa\npos,שלום\n".encode()
    assert read_bytes(content, format="csv").texts == ["a\x00b", "\ufeffa", "שלום"]


def test_a_row_that_is_not_utf_8_is_rejected_alone() -> None:
    content = b'label,text\npos,a\nneg,"caf\xe9\nb"\npos,caf\xc3\xa9\nn\xe9g,c\n'
    read = read_bytes(content, format="csv")
    assert read.texts == ["a", "café"]
    assert read.reasons == [(1, "not_utf8"), (3, "not_utf8")]
    assert read.rejections[0]["raw"] == b'neg,"caf\xe9\nb"\n'
    read = read_bytes(content, format="csv", errors="replace")
    assert read.texts == ["a", "caf\ufffd\nb", "café", "c"]
    assert read.rows_repaired == 2


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    content = 'label,text\npos,"café, noir"\n'.encode(encoding)
    assert read_bytes(content, format="csv", encoding=encoding).texts == ["café, noir"]


def test_empty_cells_are_null() -> None:
    content = b"id,text,label,weight,why,split,topics\n,a,,,,,\n1,,pos,1,a,test,[]\n"
    columns = ColumnsConfig(
        id="id", weight="weight", rationale="why", split="split", labels="topics"
    )
    read = read_bytes(content, name="rows.csv", format="csv", columns=columns)
    assert read.documents == [
        {
            "document_id": "rows.csv#0",
            "text": "a",
            "label": None,
            "labels": None,
            "soft_labels": None,
            "weight": None,
            "rationale": None,
            "split": None,
            "group": None,
            "source_file": "rows.csv",
            "source_row": 0,
        }
    ]
    assert read.reasons == [(1, "empty_text")]


def test_a_rationale_is_a_part_of_the_text() -> None:
    content = b"text,why\nso very sad,very sad\nso very sad,happy\n"
    read = read_bytes(content, format="csv", columns=ColumnsConfig(rationale="why"))
    assert read.column("rationale") == [[{"start": 3, "end": 11}]]
    assert read.reasons == [(1, "malformed_row")]


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        (ColumnsConfig(text="body"), "body"),
        (ColumnsConfig(id="key"), "key"),
        (ColumnsConfig(keep=("date",)), "date"),
    ],
)
def test_a_column_that_no_row_has_is_an_error(columns: ColumnsConfig, missing: str) -> None:
    message = f"rows.csv: expected a column '{missing}', got 'label', 'text'"
    with pytest.raises(ValueError, match=message):
        read_bytes(b"label,text\npos,a\n", name="rows.csv", format="csv", columns=columns)
    with pytest.raises(ValueError, match=message):
        read_bytes(b"pos,a\n", name="rows.csv", format="csv", columns=columns, column_names=NAMED)


def test_a_column_that_only_training_needs_may_be_absent() -> None:
    columns = ColumnsConfig(label="class", weight="w", split="s", rationale="r", labels="l")
    read = read_bytes(b"text\na\n", format="csv", columns=columns)
    assert read.texts == ["a"]
    assert read.column("label") == [None]


def test_a_column_given_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected one column 'text', got 2"):
        read_bytes(b"text,text\na,b\n", format="csv")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"label,text\n", b"label,text"])
def test_a_file_without_rows(content: bytes) -> None:
    assert read_bytes(content, format="csv").rows_read == 0


def test_a_truncated_gzip_gives_the_rows_before_its_end(tmp_path: Path) -> None:
    rows = b"".join(b'pos,"document\n%d"\n' % row for row in range(100_000))
    stored = gzip.compress(b"label,text\n" + rows)
    path = tmp_path / "torn.csv.gz"
    path.write_bytes(stored[: len(stored) // 2])
    read = read_file(path, format="csv")
    count = len(read.documents)
    assert count > 10_000
    assert read.texts == [f"document\n{row}" for row in range(count)]
    assert not read.rejections
    assert "expected more gz data, got the end of the file" in str(read.broken)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("most", [1, 1_000])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_line_that_names_the_delimiter_to_excel_is_heeded(
    line: str, end: str, most: int, mark: str
) -> None:
    content = f"{mark}{line}{end}text;label{end}a, b;x{end}c;y{end}".encode()
    for delimiter in (",", ";"):
        read = read_bytes(content, format="csv", delimiter=delimiter, most=most)
        assert (read.texts, read.column("label")) == (["a, b", "c"], ["x", "y"])
    with pytest.raises(ConfigError, match=r"got the first line 'sep=;'.* Set delimiter: \";\""):
        read_bytes(content, format="csv", delimiter="|", most=most)


def test_a_file_may_end_with_the_mark_of_dos() -> None:
    for kind, content in (("csv", b"text\na\n"), ("jsonl", b'{"text": "a"}\n'), ("text", b"a\n")):
        for most in (1, 1_000):
            read = read_bytes(content + b"\x1a", format=kind, most=most)
            assert (read.texts, read.rejections, read.broken) == (["a"], [], None)
