import dataclasses
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.reading.dividing import divide_file, divide_files, limit_files
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.row_numbers import count_rows, number_rows
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.corpora.formats.whole_file import Read, ShortReads, read_stream
from tests.pipeline.corpora.reading.corpus_files import corpus_of, write

FILES = BeamFiles()


def whole(name: str = "rows", **settings: Any) -> FilePart:
    return FilePart(path=name, source_file=name, input=InputConfig(path=name, **settings))


def read_in_parts(
    content: bytes, part: FilePart, *, part_bytes: int, most: int
) -> tuple[list[FilePart], Read]:
    """Divides the file, numbers the rows of the parts and reads the parts one by one."""
    parts = divide_file(part, size=len(content), part_bytes=part_bytes, stream=io.BytesIO(content))
    reads = []
    rows_before = 0
    for each in parts:
        if part.input.format != "parquet":
            each = dataclasses.replace(each, first_row=rows_before)
        assert each.first_row == rows_before
        rows = count_rows(ShortReads(content, most), each)
        reads.append(read_stream(ShortReads(content, most), each, corpus=CorpusConfig()))
        assert reads[-1].rows_read == rows
        rows_before += rows
    return parts, Read(
        documents=[row for read in reads for row in read.documents],
        rejections=[row for read in reads for row in read.rejections],
        rows_read=sum(read.rows_read for read in reads),
        rows_repaired=sum(read.rows_repaired for read in reads),
        broken=next((read.broken for read in reads if read.broken is not None), None),
    )


LINES = st.lists(
    st.sampled_from(
        [
            b"",
            b"\r",
            b"  ",
            b'{"text": "a"}',
            b'{"text": "b"}\r',
            b"LOC:city c",
            b"\xef\xbb\xbf",
            b"\xe9",
        ]
    )
    | st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=5).map(str.encode),
    max_size=12,
)


@pytest.mark.parametrize("format", ["jsonl", "text", "trec"])
@given(
    lines=LINES,
    mark=st.booleans(),
    part_bytes=st.integers(1, 40),
    most=st.integers(1, 40),
    encoding=st.sampled_from(["utf-8", "latin-1", "gbk"]),
)
def test_parts_hold_the_rows_of_the_whole(
    format: str, lines: list[bytes], mark: bool, part_bytes: int, most: int, encoding: str
) -> None:
    content = b"\xef\xbb\xbf" * mark + b"\n".join(lines)
    part = whole(format=format, encoding=encoding)
    expected = read_stream(io.BytesIO(content), part, corpus=CorpusConfig())
    parts, read = read_in_parts(content, part, part_bytes=part_bytes, most=most)
    assert read == expected
    assert len(parts) == max(1, -(-len(content) // part_bytes))


@given(
    group_sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    part_bytes=st.integers(1, 400),
)
def test_parts_of_parquet_are_row_groups(group_sizes: list[int], part_bytes: int) -> None:
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, pa.schema([("text", pa.string())])) as writer:
        for group, rows in enumerate(group_sizes):
            writer.write_table(pa.table({"text": [f"{group} {row}" for row in range(rows)]}))
    content = sink.getvalue()
    part = whole(format="parquet")
    expected = read_stream(io.BytesIO(content), part, corpus=CorpusConfig())
    parts, read = read_in_parts(content, part, part_bytes=part_bytes, most=len(content))
    assert read == expected
    assert expected.rows_read == sum(group_sizes)
    assert [each.start for each in parts[1:]] == [each.end for each in parts[:-1]]
    if part_bytes == 1:
        assert len(parts) == len(group_sizes)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rows.jsonl.gz", {}),
        ("rows.jsonl.bz2", {}),
        ("rows.jsonl.zst", {}),
        ("rows.jsonl", {"encoding": "utf-16"}),
        ("rows.csv", {"format": "csv"}),
        ("pos/1.txt", {"format": "text", "document": "file"}),
        ("rows.tfrecord", {"format": "tfrecord"}),
        ("TRAIN_FILE.TXT", {"format": "semeval"}),
    ],
)
def test_some_formats_are_never_divided(name: str, settings: dict[str, Any]) -> None:
    part = whole(name, **settings)
    assert divide_file(part, size=1_000, part_bytes=10) == [part]


def test_a_small_file_is_one_part() -> None:
    part = whole("rows.jsonl")
    assert divide_file(part, size=10, part_bytes=10) == [part]
    assert divide_file(part, size=0, part_bytes=10) == [part]


def test_parts_are_of_the_size_asked_for() -> None:
    parts = divide_file(whole("rows.jsonl"), size=25, part_bytes=10)
    assert [(part.start, part.end) for part in parts] == [(0, 10), (10, 20), (20, 25)]


@pytest.mark.parametrize("start", [b"", bytes(20), bytes(20) + b"\xef\xbb\xbf"])
def test_an_array_is_one_part_also_after_a_hole(start: bytes) -> None:
    content = start + b'[{"text": "a"},\n{"text": "b"}]'
    part = whole("rows.jsonl")
    found = divide_file(part, size=len(content), part_bytes=10, stream=io.BytesIO(content))
    assert found == [part]


def test_a_damaged_parquet_file_is_one_part() -> None:
    part = whole(format="parquet")
    assert divide_file(part, size=5, part_bytes=1, stream=io.BytesIO(b"wrong")) == [part]


def test_parquet_needs_the_open_file() -> None:
    with pytest.raises(ValueError, match="expected the open file"):
        divide_file(whole(format="parquet"), size=1_000)


def test_parquet_files_are_divided_by_their_footer(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["a", "b", "c"]}), path, row_group_size=1)
    config = InputConfig(path=str(path), format="parquet")
    inputs = find_input_files(FILES, CorpusConfig(inputs=(config,)))
    parts = divide_files(FILES, inputs, part_bytes=1)
    assert [(part.start, part.end, part.first_row) for part in parts] == [
        (0, 1, 0),
        (1, 2, 1),
        (2, 3, 2),
    ]
    assert number_rows(parts, {}) == parts


@pytest.mark.parametrize(
    ("files", "limit", "shares"),
    [
        (1, 10, {0: 10}),
        (3, 10, {0: 3, 1: 3, 2: 4}),
        (3, 3, {0: 1, 1: 1, 2: 1}),
        (6, 2, {2: 1, 5: 1}),
    ],
)
def test_a_limit_is_shared_evenly_among_the_files_of_an_input(
    tmp_path: Path, files: int, limit: int, shares: dict[int, int]
) -> None:
    write(tmp_path, *(f"a/{index}.jsonl" for index in range(files)), "b/b.jsonl")
    corpus = corpus_of(tmp_path / "a/*", tmp_path / "b/b.jsonl")
    parts = limit_files(find_input_files(FILES, corpus), limit=limit)
    expected = [(f"{index}.jsonl", share) for index, share in shares.items()]
    assert [(part.source_file, part.limit) for part in parts] == [*expected, ("b/b.jsonl", limit)]
