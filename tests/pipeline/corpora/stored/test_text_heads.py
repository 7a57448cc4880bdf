import json
import random

import pytest

from tests.pipeline.corpora.formats.whole_file import read_bytes

ROWS = "".join(json.dumps({"text": f"grüße {row}"}, ensure_ascii=False) + "\n" for row in range(50))
TEXT = "text\n" + "".join(f"grüße {row}\n" for row in range(50))


def content_of(kind: str) -> str:
    return ROWS if kind == "jsonl" else TEXT


@pytest.mark.parametrize("kind", ["jsonl", "csv", "text"])
@pytest.mark.parametrize(
    ("stored", "cure"),
    [
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("declared", ["utf-8", "latin-1"])
def test_text_in_another_encoding_is_named_with_the_cure(
    kind: str, stored: str, cure: str, declared: str
) -> None:
    content = content_of(kind).encode(stored)
    read = read_bytes(content, format=kind, encoding=declared)
    assert read.rows_read == 0
    assert f"Add `encoding: {cure}` to the input" in str(read.broken)
    assert len(read_bytes(content, format=kind, encoding=cure).texts) >= 50


@pytest.mark.parametrize("kind", ["jsonl", "csv", "text"])
@pytest.mark.parametrize("declared", ["utf-16", "utf-16-le", "utf-32"])
def test_utf_8_where_wide_text_is_declared_is_named(kind: str, declared: str) -> None:
    read = read_bytes(content_of(kind).encode(), format=kind, encoding=declared)
    assert read.rows_read == 0
    assert f"got UTF-8. Take `encoding: {declared}` from the input" in str(read.broken)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "text", "trec", "semeval"])
@pytest.mark.parametrize("declared", ["utf-8", "latin-1"])
def test_binary_data_are_no_text(kind: str, declared: str) -> None:
    content = random.Random(0).randbytes(5_000)  # noqa: S311
    read = read_bytes(content, format=kind, encoding=declared)
    assert read.rows_read == 0
    assert "got binary data" in str(read.broken)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "text", "trec", "semeval"])
def test_a_hole_of_zero_bytes_breaks_the_file_and_the_rows_around_it_are_used(kind: str) -> None:
    rows = {
        "jsonl": [b'{"text": "row %d"}\n' % row for row in range(300)],
        "csv": [b"text\n", *(b"row %d\n" % row for row in range(300))],
        "text": [b"row %d\n" % row for row in range(300)],
        "trec": [b"LOC:city row %d\n" % row for row in range(300)],
        "semeval": [b'%d\t"row %d"\n' % (row, row) for row in range(300)],
    }[kind]
    rows[100:120] = [b"\0" * 512, b"\n"]
    rows[-1] = rows[-1].rstrip(b"\n")
    read = read_bytes(b"".join(rows), format=kind)
    assert "zero bytes in a row: rows may be missing" in str(read.broken)
    assert {"row 98", "row 121", "row 299"} <= set(read.texts)
