"""JSON that is not lines: read as rows, or named with what to do."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.corpora.formats.whole_file import read_bytes

ROWS = [{"text": f'text {{[,\\"é {number}', "n": {"a": [number, None]}} for number in range(9)]
ARRAY = json.dumps(ROWS)
PRETTY = json.dumps(ROWS, indent=2, ensure_ascii=False)
OBJECTS = "\n".join(json.dumps(row, indent=2) for row in ROWS)
COMMAS = ",\n".join(json.dumps(row) for row in ROWS) + ",\n"


@pytest.mark.parametrize("most", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [ARRAY, PRETTY, OBJECTS, COMMAS, ARRAY[:-1] + ",\n]", PRETTY + "\n", "\ufeff" + PRETTY],
    ids=["array", "pretty", "objects", "commas", "comma at the end", "line feed", "mark"],
)
def test_arrays_and_printed_objects_are_rows(content: str, most: int) -> None:
    read = read_bytes(content.encode(), most=most)
    assert read.broken is None
    assert read.texts == [row["text"] for row in ROWS]
    assert not read.rejections


def test_arrays_that_are_concatenated_are_read_one_after_the_other() -> None:
    assert read_bytes((ARRAY + "\n" + PRETTY).encode()).rows_read == 2 * len(ROWS)


def test_elements_that_are_no_rows_are_rejected_alone() -> None:
    content = b'[{"text": "a"}, [1, 2], 12, null, {"x": 1}, {"text": "b\xff"}, {"text": "b"}]'
    read = read_bytes(content)
    assert read.texts == ["a", "b"]
    malformed = [(row, "malformed_row") for row in (1, 2, 3)]
    assert read.reasons == [*malformed, (4, "missing_column"), (5, "not_utf8")]
    assert read.broken is None


@pytest.mark.parametrize("end", range(1, 60))
def test_an_array_that_is_cut_is_broken_after_its_whole_rows(end: int) -> None:
    content = ARRAY.encode()
    read = read_bytes(content[:-end])
    assert "got the end of the file" in str(read.broken) or "the end of the file;" in str(
        read.broken
    )
    assert read.texts == [row["text"] for row in ROWS[: read.rows_read]]
    assert not read.rejections


def test_damage_within_an_array_is_named_after_the_rows_before_it() -> None:
    read = read_bytes(b'[{"text": "a"}, {"text": "b"}, {"text" "c"}, {"text": "d"}]')
    assert read.texts == ["a", "b"]
    assert "expected JSON, got an error after 2 rows" in str(read.broken)


FLAT = "[\n" + ",\n".join(json.dumps(row) for row in ROWS) + "\n]"


@pytest.mark.parametrize("most", [1, 1 << 20])
@pytest.mark.parametrize("content", [PRETTY, OBJECTS, COMMAS, FLAT, PRETTY.replace("\n", "\r\n")])
@pytest.mark.parametrize("number", [0, 1, 7])
@pytest.mark.parametrize(
    "damage", ['"te\x01xt" ', '"text: ', 'text": ', '"text": "a" "b", "text": ']
)
def test_one_damaged_object_that_begins_a_line_is_one_rejection(
    content: str, most: int, number: int, damage: str
) -> None:
    if number == 0 and not content.startswith("["):
        pytest.skip("the first object tells that the file is no lines")
    begin = [found.start() for found in re.finditer('"text": ', content)][number]
    damaged = content[:begin] + content[begin:].replace('"text": ', damage, 1)
    read = read_bytes(damaged.encode(), most=most)
    assert read.broken is None
    assert read.texts == [row["text"] for row in ROWS if row is not ROWS[number]]
    assert read.reasons == [(number, "malformed_row")]


def test_a_damaged_comma_costs_no_row() -> None:
    read = read_bytes(b'[\n  {"text": "a"}x\n  {"text": "b"}\n]')
    assert (read.texts, read.reasons) == (["a", "b"], [(1, "malformed_row")])


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([{"text": "a"}, {"x": 0, "l": [{"text": "b"}]}, {"text": "c"}], indent=0),
        json.dumps([{"x": 0, "l": [{"text": "b"}]}, {"text": "c"}], indent=0),
        '[\n{"x": 0, "l": [\n{"text": "b"}\n]},\n{"text": "c"}\n]',
    ],
)
def test_objects_within_a_damaged_one_are_no_rows(content: str) -> None:
    read = read_bytes(content.replace('"x": 0', '"x" 0').encode())
    assert set(read.texts) <= {"a"}
    assert "expected JSON, got an error after" in str(read.broken)


@pytest.mark.parametrize(
    "document",
    [{"data": ROWS}, {"version": 1, "data": ROWS}, {"text_of_all": "a", "data": ROWS}],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_around_the_rows_is_named_with_the_cure(
    document: dict[str, Any], indent: int | None
) -> None:
    read = read_bytes(json.dumps(document, indent=indent).encode())
    assert read.rows_read == 0
    assert "got one object that holds rows as a list ('data')" in str(read.broken)
    assert "jq -c '.[\"data\"][]'" in str(read.broken)


def test_one_row_with_a_list_of_objects_is_a_row() -> None:
    assert read_bytes(json.dumps({"spans": [{"a": 1}], "text": "a"}).encode()).texts == ["a"]


@pytest.mark.parametrize(
    ("torn", "whole"),
    [(b'{"text": "a"}\n{"text": "b', 1), (b'{"text": "a"}\n{"text": "b"', 1), (b'{"te', 0)],
)
def test_a_file_that_ends_within_a_row_is_broken(torn: bytes, whole: int) -> None:
    read = read_bytes(torn)
    assert (read.rows_read, read.rejections) == (whole, [])
    assert "got the end of the file within a row" in str(read.broken)


def test_a_text_full_of_quotes_is_searched_once() -> None:
    begun = time.process_time()
    read = read_bytes(json.dumps({"text": 32_000 * '"'}).encode())
    assert (read.rows_read, read.broken) == (1, None)
    assert time.process_time() - begun < 5  # 30 s if the search begins again at each quote


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    rows=st.lists(st.dictionaries(st.text(), VALUES, max_size=3), min_size=1, max_size=6),
    indent=st.none() | st.integers(0, 3),
    most=st.integers(1, 50),
)
def test_every_array_of_objects_gives_its_rows(
    rows: list[dict[str, Any]], indent: int | None, most: int
) -> None:
    rows = [{**row, "text": f"row {number}"} for number, row in enumerate(rows)]
    for ascii_only in (True, False):
        content = json.dumps(rows, indent=indent, ensure_ascii=ascii_only)
        read = read_bytes(content.encode("utf-8", "surrogatepass"), most=most)
        assert (read.rows_read, read.broken) == (len(rows), None)
