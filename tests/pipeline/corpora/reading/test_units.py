import io
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import ConfigError
from pipeline.config.inputs import InputConfig
from pipeline.config.sections import CorpusConfig
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.dividing import divide_file, divide_files, limit_files
from pipeline.corpora.reading.input_files import find_input_files
from pipeline.corpora.reading.parts import FilePart
from pipeline.corpora.reading.row_numbers import count_rows, number_rows, parts_to_count
from pipeline.corpora.reading.units import group_units
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.files import write_text
from tests.pipeline import object_store

FILES = BeamFiles()


def corpus_of(*paths: object) -> CorpusConfig:
    return CorpusConfig(inputs=tuple(InputConfig(path=str(path)) for path in paths))


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "a"}\n')


def names_of(*paths: object) -> list[str]:
    return [item.source_file for item in find_input_files(FILES, corpus_of(*paths))]


def test_files_stand_in_the_order_of_inputs_then_of_paths(tmp_path: Path) -> None:
    write(tmp_path, "z/2.jsonl", "z/1.jsonl", "a/3.jsonl")
    assert names_of(tmp_path / "z/*.jsonl", tmp_path / "a/3.jsonl") == [
        "1.jsonl",
        "2.jsonl",
        "3.jsonl",
    ]


def test_files_know_their_size_and_their_input(tmp_path: Path) -> None:
    write(tmp_path, "1.jsonl")
    config = InputConfig(path=str(tmp_path / "*"), split="test")
    [found] = find_input_files(FILES, CorpusConfig(inputs=(config,)))
    assert found.info.path == str(tmp_path / "1.jsonl")
    assert found.info.bytes == len('{"text": "a"}\n')
    assert found.input is config


def test_files_of_one_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    write(tmp_path, "x/train/a", "x/test/a", "x/test/deep/b")
    assert names_of(tmp_path / "**") == ["test/a", "test/deep/b", "train/a"]


def test_relative_and_absolute_paths_can_be_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "here/a", "there/a")
    monkeypatch.chdir(tmp_path)
    names = names_of("here/a", tmp_path / "there/a")
    assert len(set(names)) == 2


def test_names_below_a_bucket_are_whole() -> None:
    object_store.OBJECTS.clear()
    for folder in ("train", "test"):
        write_text(FILES, f"objects://bucket/{folder}/a.jsonl", "{}")
    assert names_of("objects://bucket/**") == ["test/a.jsonl", "train/a.jsonl"]


def test_no_input_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"^corpus\.inputs: expected at least one input"):
        find_input_files(FILES, CorpusConfig())


@pytest.mark.parametrize("name", ["missing.jsonl", "missing/*.jsonl", "*.missing"])
def test_an_input_without_files_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a.jsonl")
    with pytest.raises(ConfigError, match=r"^corpus\.inputs\.1\.path: expected files that match"):
        find_input_files(FILES, corpus_of(tmp_path / "a.jsonl", tmp_path / name))


@pytest.mark.parametrize("name", ["*", "**", "b/1", "b/*"])
def test_a_link_to_nothing_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a", "b/2")
    (tmp_path / "b/1").symlink_to("unmounted")
    write(tmp_path / "b", "real")
    (tmp_path / "b/link").symlink_to("real")
    if name == "*":
        assert names_of(tmp_path / name) == ["a"]
    else:
        with pytest.raises(
            ConfigError, match=r"expected files, got .*/b/1, a symbolic link whose target"
        ):
            find_input_files(FILES, corpus_of(tmp_path / name))


def test_a_file_of_two_inputs_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", "b.jsonl")
    with pytest.raises(ConfigError, match=r"^corpus\.inputs\.1\.path: .* got .*b\.jsonl"):
        find_input_files(FILES, corpus_of(tmp_path / "b*", tmp_path / "*"))


@given(
    contents=st.lists(
        st.lists(st.sampled_from(["", " ", "x", "a longer line", "é"]), max_size=12),
        min_size=1,
        max_size=3,
    ),
    part_bytes=st.integers(1, 40),
    document=st.sampled_from(["jsonl", "text"]),
)
def test_rows_have_the_numbers_they_have_in_the_whole_file(
    contents: list[list[str]], part_bytes: int, document: str
) -> None:
    config = InputConfig(path="x", format=document)  # type: ignore[arg-type]
    encoded = {
        f"file{index}": "".join(
            (json.dumps({"text": line}) if line.strip() and document == "jsonl" else line) + "\n"
            for line in lines
        ).encode()
        for index, lines in enumerate(contents)
    }
    wholes = [FilePart(path=path, source_file=path, input=config) for path in encoded]
    parts = [
        part
        for whole in wholes
        for part in divide_file(whole, size=len(encoded[whole.path]), part_bytes=part_bytes)
    ]
    counts = {
        (part.path, part.start): count_rows(io.BytesIO(encoded[part.path]), part)
        for part in parts_to_count(parts)
    }
    numbered = number_rows(parts, counts)
    assert rows_of(numbered, encoded) == rows_of(wholes, encoded)


def rows_of(parts: Sequence[FilePart], encoded: dict[str, bytes]) -> list[tuple[str, int, str]]:
    """File, row and text or reason of every row, in order of reading."""
    rows = []
    for part in parts:
        for batch in read_part(io.BytesIO(encoded[part.path]), part, corpus=CorpusConfig()):
            found = [
                (each["source_file"], each["source_row"], each.get("text") or each["reason"])
                for table in (batch.documents, batch.rejections)
                for each in table.to_pylist()
            ]
            rows += sorted(found)
    return sorted(rows)


def test_only_divided_files_of_lines_are_counted(tmp_path: Path) -> None:
    jsonl = FilePart(path="a", source_file="a", input=InputConfig(path="a"))
    parquet = FilePart(path="p", source_file="p", input=InputConfig(path="p", format="parquet"))
    divided = divide_file(jsonl, size=100, part_bytes=60)
    alone = FilePart(path="b", source_file="b", input=InputConfig(path="b"))
    assert parts_to_count([*divided, alone, parquet, parquet]) == divided


def test_parquet_parts_are_planned_from_the_footer(tmp_path: Path) -> None:
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


@st.composite
def planned_parts(draw: st.DrawFn) -> tuple[list[FilePart], dict[str, int]]:
    parts: list[FilePart] = []
    sizes = {}
    for index in range(draw(st.integers(1, 6))):
        path = f"file{index}"
        kind = draw(st.sampled_from(["jsonl", "csv", "parquet"]))
        sizes[path] = draw(st.integers(0, 300))
        whole = FilePart(path=path, source_file=path, input=InputConfig(path=path, format=kind))
        if kind == "parquet":
            parts.append(FilePart(path=path, source_file=path, input=whole.input, end=3))
        else:
            parts += divide_file(whole, size=sizes[path], part_bytes=100)
    return parts, sizes


@given(planned=planned_parts(), unit_bytes=st.integers(1, 250))
def test_units_hold_every_part_once_in_order_and_close_when_full(
    planned: tuple[list[FilePart], dict[str, int]], unit_bytes: int
) -> None:
    parts, sizes = planned
    units = group_units(parts, sizes, unit_bytes=unit_bytes)
    assert list(itertools.chain.from_iterable(unit.parts for unit in units)) == parts
    assert [unit.index for unit in units] == list(range(len(units)))

    def size(some: Sequence[FilePart]) -> int:
        return sum(
            part.end - part.start
            if part.end is not None and part.input.format != "parquet"
            else sizes[part.path]
            for part in some
        )

    for unit in units:
        assert unit.parts
        assert len(unit.parts) == 1 or size(unit.parts[:-1]) < unit_bytes
    for unit in units[:-1]:
        assert size(unit.parts) >= unit_bytes


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
    write(tmp_path, *(f"a/{index}.jsonl" for index in range(files)), "b.jsonl")
    corpus = corpus_of(tmp_path / "a/*", tmp_path / "b.jsonl")
    parts = limit_files(find_input_files(FILES, corpus), limit=limit)
    expected = [(f"{index}.jsonl", share) for index, share in shares.items()]
    assert [(part.source_file, part.limit) for part in parts] == [*expected, ("b.jsonl", limit)]


def test_a_compressed_file_counts_for_what_it_becomes() -> None:
    def units_of(name: str) -> int:
        parts = [
            FilePart(path=f"{i}{name}", source_file=name, input=InputConfig(path=name))
            for i in range(4)
        ]
        return len(group_units(parts, {part.path: 30 for part in parts}, unit_bytes=100))

    assert [units_of(name) for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst")] == [1, 4, 4]
