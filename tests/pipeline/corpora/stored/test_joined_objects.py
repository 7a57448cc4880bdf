"""JSON objects that stand in one line without a line end between them."""

import io
import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.corpora.reading.dividing import divide_file
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.row_numbers import count_rows
from pipeline.corpora.stored.joined_objects import with_objects_apart
from tests.pipeline.corpora.formats.whole_file import read_bytes

TEXTS = ['a}{b "}{" \\', "\N{GRINNING FACE}} {", "c\ud800", "d"]
OBJECTS = [json.dumps({"n": {"a": [{}]}, "text": text}) for text in TEXTS]
READ = [*TEXTS[:2], "c\ufffd", "d"]


@pytest.mark.parametrize("joint", ["", " ", "\t ", "\r", "\n"])
@pytest.mark.parametrize("before", ["", '{"text": "x"}\n', "\ufeff"])
@pytest.mark.parametrize("most", [1, 7, 1 << 20])
def test_each_object_of_a_line_is_a_row(joint: str, before: str, most: int) -> None:
    content = before + joint.join(OBJECTS) + "\n" + joint.join(OBJECTS)
    read = read_bytes(content.encode(), most=most)
    assert (read.rejections, read.broken) == ([], None)
    assert read.texts == ["x"] * before.count("\n") + 2 * READ


def test_what_cannot_be_read_is_one_rejection_up_to_the_end_of_its_line() -> None:
    a, b = '{"text": "a"}', '{"text": "b"}'
    read = read_bytes(f'{a}{b}{{"text" "c"}}{a}{b}\n{a}junk{b}\n{a}{b}\n'.encode())
    assert read.texts == ["a", "b", "a", "b"]
    assert read.reasons == [(2, "malformed_row"), (3, "malformed_row")]
    assert read.rejections[0]["raw"] == f'{{"text" "c"}}{a}{b}'.encode()


def test_objects_before_the_cut_of_their_line_are_rows() -> None:
    content = "".join(OBJECTS).encode()
    for end in range(1, len(OBJECTS[-1])):
        read = read_bytes(content[:-end])
        assert (read.texts, read.rejections) == (READ[:-1], [])
        assert "got the end of the file within a row" in str(read.broken)


def test_a_line_of_megabytes_is_divided_in_linear_time() -> None:
    record = '{"text": "a good film, number %06d"}'
    content = "".join(record % number for number in range(600_000)).encode()
    seconds = []
    for part in (content[: len(content) // 10], content):
        begun = time.process_time()
        pieces = [piece.count(b"\n") for piece in with_objects_apart(pieces_of(part, 1 << 16))]
        seconds.append(time.process_time() - begun)
        assert sum(pieces) == len(part) // len(record % 0) - 1
        assert max(pieces) < 60_000  # no more is held than a megabyte or two
    assert seconds[1] < 40 * seconds[0] + 0.5


def test_an_object_of_megabytes_full_of_braces_is_searched_in_linear_time() -> None:
    content = json.dumps({"text": "}{" * (4 << 20)}).encode()
    begun = time.process_time()
    assert b"".join(with_objects_apart(pieces_of(content, 1 << 16))) == content
    assert time.process_time() - begun < 5


def test_a_divided_file_has_the_same_rows() -> None:
    content = ("\n".join("".join(OBJECTS) for _ in range(9)) + "\n").encode()
    path = "a.jsonl"
    whole = FilePart(path=path, source_file=path, input=InputConfig(path=path))
    parts = divide_file(whole, size=len(content), part_bytes=150)
    assert len(parts) > 3
    assert sum(count_rows(io.BytesIO(content), part) for part in parts) == 36
    assert count_rows(io.BytesIO(content), whole) == 36


def pieces_of(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


@given(
    content=st.lists(st.sampled_from(['{"a":"}{"}', "{}", " ", "\n", '{"', "}", "{", "x"])),
    cuts=st.lists(st.integers(0, 60), max_size=5).map(sorted),
)
def test_what_is_divided_does_not_depend_on_the_chunks(content: list[str], cuts: list[int]) -> None:
    data = "".join(content).encode()
    chunks = [data[a:b] for a, b in pairwise([0, *cuts, len(data)])]
    whole = b"".join(with_objects_apart([data]))
    assert b"".join(with_objects_apart(chunks)) == whole
    assert whole.replace(b"\n", b"") == data.replace(b"\n", b"")
