"""Batches that go across the files of a unit hold the rows of the files, in order."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats import read_part as reader
from pipeline.corpora.formats import read_unit as module
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.formats.read_unit import UnitRows, read_unit
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.units import Unit
from pipeline.storage.beam_files import BeamFiles

CORPUS = CorpusConfig(columns=ColumnsConfig(id="id"))
FILES = BeamFiles()
LINES = ('{"id": "a", "text": "x"}', '{"id": "b", "text": ""}', '{"text": "no id"}', "no JSON", "")


def parts_of(folder: Path, contents: list[bytes], *, suffix: str = "jsonl") -> tuple[FilePart, ...]:
    parts = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.{suffix}"
        path.write_bytes(content)
        parts.append(
            FilePart(
                path=str(path),
                source_file=path.name,
                input=InputConfig(path=str(path), format="jsonl"),
            )
        )
    return tuple(parts)


def read(parts: tuple[FilePart, ...]) -> list[UnitRows]:
    return list(read_unit(FILES, Unit(index=0, parts=parts), corpus=CORPUS))


def rows_of(batches: Any) -> list[dict[str, Any]]:
    return [row for batch in batches if batch is not None for row in batch.to_pylist()]


@settings(max_examples=60, deadline=None)
@given(
    files=st.lists(st.lists(st.sampled_from(LINES), max_size=7), max_size=12),
    batch_rows=st.integers(1, 12),
    batch_bytes=st.sampled_from([1, 300, 1 << 20]),
)
def test_the_rows_are_those_of_the_files_one_by_one(
    files: list[list[str]],
    batch_rows: int,
    batch_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    parts = parts_of(
        tmp_path_factory.mktemp("unit"), ["\n".join(lines).encode() for lines in files]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH_ROWS", batch_rows)
        patch.setattr(module, "BATCH_BYTES", batch_bytes)
        batches = read(parts)
    documents, rejections, counted = [], [], {}
    for part in parts:
        with FILES.open(part.path) as stream:
            for batch in read_part(stream, part, corpus=CORPUS):
                documents.append(batch.documents)
                rejections.append(batch.rejections)
                counted[part.source_file] = batch.rows_read
    assert rows_of(batch.documents for batch in batches) == rows_of(documents)
    assert rows_of(batch.rejections for batch in batches) == rows_of(rejections)
    found = add_counts(batch.counts for batch in batches).get("files", {})
    assert {name: count["rows_read"] for name, count in found.items()} == counted
    assert sum(batch.rows_read for batch in batches) == sum(counted.values())


def test_many_small_files_are_few_batches(tmp_path: Path) -> None:
    contents = [f'{{"id": "d{number}", "text": "x"}}\n'.encode() for number in range(2_500)]
    batches = read(parts_of(tmp_path, contents))
    assert [batch.rows_read for batch in batches] == [2_000, 500]
    rows = rows_of(batch.documents for batch in batches)
    assert [row["document_id"] for row in rows] == [f"d{number}" for number in range(2_500)]
    assert [row["source_file"] for row in rows] == [f"{number}.jsonl" for number in range(2_500)]
    assert {row["source_row"] for row in rows} == {0}


def test_large_rows_of_several_files_are_batches_of_bounded_size(tmp_path: Path) -> None:
    contents = [b'{"id": "a", "text": "%s"}\n' % (b"x" * (3 << 20)) for _ in range(6)]
    batches = read(parts_of(tmp_path, contents))
    assert [batch.rows_read for batch in batches] == [2, 2, 2]


def test_a_broken_file_does_not_take_the_rows_of_others(tmp_path: Path) -> None:
    good = b'{"id": "a", "text": "x"}\n'
    first, last = parts_of(tmp_path, [good, good])
    lost = FilePart(path=str(tmp_path / "lost.jsonl"), source_file="lost.jsonl", input=first.input)
    [batch] = read((first, lost, last))
    assert batch.documents is not None
    assert batch.documents.column("source_file").to_pylist() == ["0.jsonl", "1.jsonl"]
    assert list(batch.counts["broken"]) == ["lost.jsonl"]
    [batch] = read((lost,))
    assert (batch.documents, batch.rejections, batch.rows_read) == (None, None, 0)
    assert list(batch.counts["broken"]) == ["lost.jsonl"]


def test_a_pipe_in_the_place_of_a_file_is_broken_and_does_not_hang(tmp_path: Path) -> None:
    good = b'{"id": "a", "text": "x"}\n'
    first, second = parts_of(tmp_path, [good, good])
    (tmp_path / "0.jsonl").unlink()
    os.mkfifo(tmp_path / "0.jsonl")
    [batch] = read((first, second))
    assert batch.counts["broken"] == {
        "0.jsonl": {"expected a file that can be opened, got: a FIFO": 1}
    }
    assert batch.rows_read == 1


def test_a_file_that_does_not_fit_in_memory_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = b'{"id": "a", "text": "x"}\n'
    read_jsonl = reader._FORMATS["jsonl"]

    def exhausted(stream: Any, part: FilePart, **options: Any) -> Any:
        yield from read_jsonl(stream, part, **options)
        if part.source_file == "1.jsonl":
            raise MemoryError

    monkeypatch.setitem(reader._FORMATS, "jsonl", exhausted)
    [batch] = read(parts_of(tmp_path, [good, good, good]))
    assert batch.rows_read == 3
    assert batch.counts["broken"] == {
        "1.jsonl": {
            "expected rows that fit in memory, got too large ones: out of memory; "
            "the rest was not read": 1
        }
    }
