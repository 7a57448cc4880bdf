"""The bound of a file is never below the rows that are read from it."""

import gzip
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.early_stop.row_bounds import bound_rows
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.stored.broken_file import BrokenFileError
from pipeline.storage.beam_files import BeamFiles

FILES = BeamFiles()
CORPUS = CorpusConfig(columns=ColumnsConfig(label=None))
PIECES = (
    b"\n",
    b"\r\n",
    b"\r",
    b"a",
    b'"',
    b"{}",
    b'{"text": "x"}',
    b"text",
    b",",
    b"[",
    b"]",
    b" ",
    b"\xff",
)


def part_of(path: Path, **config: Any) -> FilePart:
    return FilePart(
        path=str(path), source_file=path.name, input=InputConfig(path=str(path), **config)
    )


def rows_of(part: FilePart) -> int:
    rows = 0
    try:
        with FILES.open(part.path) as stream:
            for batch in read_part(stream, part, corpus=CORPUS):
                rows += batch.rows_read
    except (BrokenFileError, ValueError):
        pass
    return rows


@settings(max_examples=300, deadline=None)
@given(
    content=st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join),
    kind=st.sampled_from(["jsonl", "csv", "text", "trec", "semeval", "tfrecord"]),
    compressed=st.booleans(),
)
def test_no_file_has_more_rows_than_its_bound(
    content: bytes, kind: str, compressed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = b"text\n" + content if kind == "csv" else content
    path = tmp_path_factory.mktemp("bound") / ("rows.gz" if compressed else "rows")
    path.write_bytes(gzip.compress(content) if compressed else content)
    part = part_of(path, format=kind)
    assert bound_rows(FILES, [part]) >= rows_of(part)


def test_the_bound_of_plain_files_is_close(tmp_path: Path) -> None:
    lines = tmp_path / "rows.jsonl"
    lines.write_bytes(b'{"text": "a, b"}\n' * 50)
    table = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["a"] * 70}), table)
    whole = tmp_path / "whole.txt"
    whole.write_text("one\ntwo\n")
    assert bound_rows(FILES, [part_of(lines)]) == 51
    assert bound_rows(FILES, [part_of(table, format="parquet")]) == 70
    assert bound_rows(FILES, [part_of(whole, format="text", document="file")]) == 1
    limited = FilePart(
        path=str(lines), source_file="rows.jsonl", input=part_of(lines).input, limit=7
    )
    assert bound_rows(FILES, [limited]) == 7


def test_objects_that_share_a_line_are_bounded_too(tmp_path: Path) -> None:
    for before, between, after in ((b" [", b",", b"]"), (b"{\n}", b"", b""), (b"[", b" ", b"]")):
        path = tmp_path / "array.jsonl"
        path.write_bytes(before + between.join([b'{"text": "a"}'] * 50) + after)
        rows = rows_of(part_of(path))
        assert rows >= 50
        assert bound_rows(FILES, [part_of(path)]) >= rows


def test_every_encoding_is_bounded(tmp_path: Path) -> None:
    wide = tmp_path / "wide.txt"
    wide.write_text("a\nb\n", encoding="utf-16")
    assert bound_rows(FILES, [part_of(wide, format="text", encoding="utf-16")]) == 3
    foreign = tmp_path / "foreign.txt"
    foreign.write_bytes("a\nb\n".encode("cp037"))
    part = part_of(foreign, format="text", encoding="cp037")
    assert bound_rows(FILES, [part]) >= rows_of(part) == 2


def test_a_file_that_cannot_be_read_has_no_bound(tmp_path: Path) -> None:
    assert bound_rows(FILES, [part_of(tmp_path / "absent.jsonl")]) == math.inf
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"no Parquet")
    assert bound_rows(FILES, [part_of(path, format="parquet")]) == math.inf
