import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sections import ColumnsConfig
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file

COLUMNS = ColumnsConfig(
    id="id",
    labels="topics",
    probabilities="teacher",
    weight="weight",
    rationale="why",
    split="split",
    keep=("rating",),
)
MAX_TEXT_BYTES = 2_000

# Forty kinds of damaged lines, each with the reason of its rejection.
DAMAGE: list[tuple[str, bytes, str]] = [
    ("no JSON", b"just some text", "malformed_row"),
    ("a null", b"null", "malformed_row"),
    ("a list", b'["a", "b"]', "malformed_row"),
    ("a number", b"42", "malformed_row"),
    ("an object and more", b'{"text": "a"} "b"', "malformed_row"),
    ("a trailing comma", b'{"text": "a",}', "malformed_row"),
    ("single quotes", b"{'text': 'a'}", "malformed_row"),
    ("an object cut off", b'{"text": "a", "label": "po', "malformed_row"),
    ("an infinite number", b'{"text": "a", "weight": Infinity}', "malformed_row"),
    ("a number beyond floats", b'{"text": "a", "weight": 1e400}', "malformed_row"),
    ("an unknown escape", rb'{"text": "a\x41"}', "malformed_row"),
    ("half an escape", rb'{"text": "a\u12"}', "malformed_row"),
    ("nesting without end", b'{"text": ' + b"[" * 100_000, "malformed_row"),
    ("zeros", b"\0" * 40, "malformed_row"),
    ("a number as text", b'{"text": 3}', "malformed_row"),
    ("a list as text", b'{"text": ["a", "b"]}', "malformed_row"),
    ("a list as id", b'{"text": "a", "id": ["7"]}', "malformed_row"),
    ("a text that is not a number", b'{"text": NaN}', "empty_text"),
    ("a fraction as label", b'{"text": "a", "label": 0.5}', "malformed_row"),
    ("a string as labels", b'{"text": "a", "topics": "sport"}', "malformed_row"),
    ("a null among labels", b'{"text": "a", "topics": ["sport", null]}', "malformed_row"),
    ("a negative weight", b'{"text": "a", "weight": -1}', "malformed_row"),
    ("a word as weight", b'{"text": "a", "weight": "heavy"}', "malformed_row"),
    ("an infinite weight", b'{"text": "a", "weight": "inf"}', "malformed_row"),
    ("an unknown split", b'{"text": "a", "split": "holdout"}', "malformed_row"),
    ("a rationale from elsewhere", b'{"text": "abc", "why": "abd"}', "malformed_row"),
    ("a span past the end", b'{"text": "abc", "why": [[0, 4]]}', "malformed_row"),
    ("a span backwards", b'{"text": "abc", "why": [{"start": 2, "end": 1}]}', "malformed_row"),
    ("Latin-1", b'{"text": "caf\xe9"}', "not_utf8"),
    ("an overlong encoding", b'{"text": "a\xc0\x80"}', "not_utf8"),
    ("an encoded surrogate", b'{"text": "a\xed\xa0\x80"}', "not_utf8"),
    ("a character cut off", b'{"text": "a\xf0\x9f\x98"}', "not_utf8"),
    ("no text", b'{"label": "pos"}', "missing_column"),
    ("a text by another name", b'{"Text": "a"}', "missing_column"),
    ("a null text", b'{"text": null}', "empty_text"),
    ("an empty text", b'{"text": ""}', "empty_text"),
    ("a blank text", rb'{"text": " \t\n\u00a0\u3000"}', "empty_text"),
    ("a large text", b'{"text": "' + b"x" * 2_001 + b'"}', "text_too_large"),
    ("a large text in Chinese", b'{"text": "' + "文".encode() * 667 + b'"}', "text_too_large"),
    ("a line of megabytes", b'{"text": "a", "b": "' + b"x" * (2 << 20) + b'"}', "text_too_large"),
]  # fmt: skip

# Lines that look damaged but are valid, each with its text.
VALID: list[tuple[str, bytes, str]] = [
    ("a NUL", rb'{"text": "a\u0000b"}', "a\x00b"),
    ("a raw NUL", b'{"text": "a\x00b"}', "a\x00b"),
    ("a raw tab", b'{"text": "a\tb"}', "a\tb"),
    ("a carriage return", b'{"text": "a"}\r', "a"),
    ("white space around", b' \t{"text": "a"}  ', "a"),
    ("right to left", '{"text": "שלום 123"}'.encode(), "שלום 123"),
    ("joined emoji", '{"text": "👩‍👩‍👧‍👦"}'.encode(), "👩‍👩‍👧‍👦"),
    ("an escaped pair", rb'{"text": "\ud83d\ude00"}', "😀"),
    ("a lone high surrogate", rb'{"text": "a\ud83d"}', "a\ufffd"),
    ("a lone low surrogate", rb'{"text": "\uDE00\uD83D"}', "\ufffd\ufffd"),
    ("an escaped backslash", rb'{"text": "\\ud83d"}', r"\ud83d"),
    ("combining marks", '{"text": "e\u0301"}'.encode(), "e\u0301"),
    ("a byte order mark in the text", '{"text": "\ufeffa"}'.encode(), "\ufeffa"),
    ("a byte order mark before the object", b'\xef\xbb\xbf{"text": "a"}', "a"),
    ("an integer as id", b'{"text": "a", "id": 7}', "a"),
    ("an id beyond 64 bits", b'{"text": "a", "id": 123456789012345678901}', "a"),
    ("a weight that is not a number", b'{"text": "a", "weight": NaN}', "a"),
    ("a null id", b'{"text": "a", "id": null}', "a"),
    ("a line separator", '{"text": "a\u2028b\x85c"}'.encode(), "a\u2028b\x85c"),
    ("the last of two texts", b'{"text": "a", "text": "b"}', "b"),
    ("text of just the limit", b'{"text": "' + b"x" * 2_000 + b'"}', "x" * 2_000),
]  # fmt: skip


def test_forty_damaged_rows_among_two_thousand_are_rejected(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"document {row}", "id": f"id-{row}"}) for row in range(2_000)]
    stored = [line.encode() for line in lines]
    expected = []
    for kind, (_, line, reason) in enumerate(DAMAGE):
        stored[50 * kind + 49] = line
        expected.append((50 * kind + 49, reason))
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(b"\n".join(stored))

    read = read_file(path, columns=COLUMNS, max_text_bytes=MAX_TEXT_BYTES)

    assert len(DAMAGE) == 40
    assert read.reasons == expected
    assert read.rows_read == 2_000
    damaged = {row for row, _ in expected}
    assert [(each["document_id"], each["text"], each["source_row"]) for each in read.documents] == [
        (f"id-{row}", f"document {row}", row) for row in range(2_000) if row not in damaged
    ]
    assert [each["raw"] for each in read.rejections] == [line[:1_000] for _, line, _ in DAMAGE]


@pytest.mark.parametrize(("line", "reason"), [(line, why) for _, line, why in DAMAGE])
def test_a_damaged_line_alone(line: bytes, reason: str) -> None:
    read = read_bytes(line + b"\n", columns=COLUMNS, max_text_bytes=MAX_TEXT_BYTES)
    assert read.reasons == [(0, reason)]
    assert "expected" in read.rejections[0]["detail"]
    assert len(read.rejections[0]["detail"]) < 300
    assert (read.broken is not None) == (b"\0" * 16 in line)


@pytest.mark.parametrize(("line", "text"), [(line, text) for _, line, text in VALID])
def test_a_valid_line(line: bytes, text: str) -> None:
    read = read_bytes(
        b'{"text": "before"}\n' + line + b'\n{"text": "after"}\n',
        columns=COLUMNS,
        max_text_bytes=MAX_TEXT_BYTES,
    )
    assert read.texts == ["before", text, "after"]


def test_lone_surrogates_are_counted_in_any_value() -> None:
    read = read_bytes(
        rb'{"text": "a\ud800", "label": "pos"}'
        b"\n"
        rb'{"text": "b", "label": "\udfff", "rating": {"\ud800": ["\ud800"]}}'
        b"\n"
        rb'{"text": "\ud83d\ude00"}'
        b"\n"
        rb'{"text": "", "label": "\ud800"}',
        columns=ColumnsConfig(keep=("rating",)),
    )
    assert read.texts == ["a\ufffd", "b", "😀"]
    assert read.column("label") == ["pos", "\ufffd", None]
    assert read.column("rating") == [None, '{"\ufffd": ["\ufffd"]}', None]
    assert read.rows_repaired == 2


@pytest.mark.parametrize("damage", [b"nan", b"[" * 100_000, b"}"])
def test_a_lone_surrogate_hides_no_other_damage(damage: bytes) -> None:
    read = read_bytes(rb'{"text": "a\ud800", "rating": ' + damage + b"}", columns=COLUMNS)
    assert read.reasons == [(0, "malformed_row")]


def test_all_fields_of_a_document() -> None:
    row: dict[str, Any] = {
        "id": 7,
        "text": "a fine film",
        "label": True,
        "topics": ["film", 3],
        "teacher": {"film": 0.75, "book": 0},
        "weight": 0.5,
        "why": [{"start": 2, "end": 6}],
        "split": "dev",
        "rating": [1, 2],
        "ignored": {"a": 1},
    }
    read = read_bytes(json.dumps(row).encode(), name="rows.jsonl", columns=COLUMNS, split="test")
    assert read.documents == [
        {
            "document_id": "7",
            "text": "a fine film",
            "label": "true",
            "labels": ["film", "3"],
            "soft_labels": [
                {"label": "film", "probability": 0.75},
                {"label": "book", "probability": 0},
            ],
            "weight": 0.5,
            "rationale": [{"start": 2, "end": 6}],
            "split": "validation",
            "group": None,
            "source_file": "rows.jsonl",
            "source_row": 0,
            "rating": "[1, 2]",
        }
    ]


def test_fields_that_a_row_lacks_are_null_or_generated() -> None:
    read = read_bytes(
        b'{"text": "a"}\n{"text": "b", "id": null, "split": ""}\n{"text": "c", "id": " "}',
        name="rows.jsonl",
        columns=COLUMNS,
        split="train",
    )
    assert read.column("document_id") == ["rows.jsonl#0", "rows.jsonl#1", "rows.jsonl#2"]
    assert read.column("split") == ["train"] * 3
    for name in ("label", "labels", "soft_labels", "weight", "rationale", "rating"):
        assert read.column(name) == [None] * 3


def test_blank_lines_are_not_rows() -> None:
    read = read_bytes(b'\n{"text": "a"}\n\r\n  \t\n{"text": "b"}\n\n\n')
    assert read.column("source_row") == [0, 1]
    assert read.rows_read == 2


def test_bytes_that_do_not_decode_are_replaced_if_asked_for() -> None:
    content = b'{"text": "caf\xe9"}\n{"text": "a\xf0\x9f\x98"}\n{"text": "b"}'
    read = read_bytes(content, errors="replace")
    assert read.texts == ["caf\ufffd", "a\ufffd", "b"]
    assert read.rows_repaired == 2


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-be", "cp1252", "utf-8-sig"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"text": "café"}\r\n{"text": "naïve"}'.encode(encoding))
    assert read_file(path, encoding=encoding).texts == ["café", "naïve"]


def test_an_undecodable_row_of_another_encoding_is_rejected_alone() -> None:
    content = '{"text": "好"}\n'.encode("gbk") + b'{"text": "\x81"}\n' + b'{"text": "a"}\n'
    read = read_bytes(content, encoding="gbk")
    assert read.texts == ["好", "a"]
    assert read.reasons == [(1, "not_utf8")]
    assert "gbk" in read.rejections[0]["detail"]
    assert read_bytes(content, encoding="gbk", errors="replace").texts == ["好", "\ufffd", "a"]


def test_a_truncated_gzip_gives_the_rows_before_its_end(tmp_path: Path) -> None:
    lines = b"".join(b'{"text": "document %d"}\n' % row for row in range(100_000))
    stored = gzip.compress(lines)
    path = tmp_path / "torn.jsonl.gz"
    path.write_bytes(stored[: len(stored) // 2])
    read = read_file(path)
    rows = len(read.documents)
    assert 30_000 < rows < 70_000
    assert read.texts == [f"document {row}" for row in range(rows)]
    assert not read.rejections
    assert "expected more gz data, got the end of the file" in str(read.broken)


def test_batches_have_at_most_the_rows_asked_for() -> None:
    read = read_bytes(b'{"text": "a"}\n' * 25, batch_rows=10)
    assert read.column("source_row") == list(range(25))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n \n"])
def test_a_file_without_rows(content: bytes) -> None:
    assert read_bytes(content).rows_read == 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [("a.csv.gz", "; if this is csv, as its name says, set format: csv for its input"), ("a", "")],
)
def test_a_file_that_is_named_as_another_format_is_said(
    tmp_path: Path, name: str, hint: str
) -> None:
    path = tmp_path / name
    path.write_text("id,text\n")
    [rejection] = read_file(path).rejections
    assert rejection["detail"].startswith("expected JSON, got an error at character 0")
    assert rejection["detail"].partition("; if")[1:] == hint.partition("; if")[1:]
