"""A file for each value of a column: every row is in the folder of its value, in order."""

import hashlib
import os
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import ConfigError
from pipeline.storage import partitioned_files
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.parquet_files import ParquetFiles, ParquetLayout
from pipeline.storage.partition_names import (
    NULL_NAME,
    check_partition_column,
    is_shortened,
    partition_folder,
)
from pipeline.storage.staging import StagedFile

SCHEMA = pa.schema([pa.field("n", pa.int64()), pa.field("lang", pa.string())])
FEW = ParquetLayout(partition_by="lang")
MANY = ParquetLayout(partition_by="lang", row_group_bytes=200)

# Some of them are one name on a disk of Windows or macOS, a path, or have a meaning for a reader.
VALUES = [
    None, "", NULL_NAME, "en", "A", "a", "EN", "ÉTÉ", "été", "e\u0301te\u0301", "a.", "a ",
    ".", "..", "CON", "con", "a:b", "a=b/c", "../x", "100%", "%41", "*?[\\", "日本", "1", "1.0",
    "null", "x\x00y", "\ufb01", "ß", "\u0131",
]  # fmt: skip


def batch(*rows: tuple[int, str | None]) -> pa.RecordBatch:
    numbers, languages = zip(*rows, strict=True)
    return pa.record_batch([pa.array(numbers), pa.array(languages, pa.string())], schema=SCHEMA)


def write(folder: Path, layout: ParquetLayout, *batches: pa.RecordBatch) -> list[StagedFile]:
    output = ParquetFiles(SCHEMA, layout, folder=str(folder), files=BeamFiles())
    staged = [file for each in batches for file in output.write(each)]
    return [*staged, *output.close()]


def publish(staged: list[StagedFile], table: Path) -> None:
    for number, file in enumerate(staged):
        (table / file.subfolder).mkdir(parents=True, exist_ok=True)
        Path(file.path).rename(table / file.subfolder / f"part-{number}.parquet")


def expected(value: str | None, *, by: str) -> str | None:
    """Arrow decodes a name before it compares it with that of null."""
    return None if value == NULL_NAME and by == "arrow" else value


@pytest.mark.parametrize("layout", [FEW, MANY])
def test_readers_find_every_value_again(tmp_path: Path, layout: ParquetLayout) -> None:
    values = [value for value in dict.fromkeys(VALUES) if "\x00" not in (value or "")]
    rows = [*enumerate(values), *enumerate(values, start=100)]
    publish(
        write(tmp_path / "staged", layout, batch(*rows[:20]), batch(*rows[20:])), tmp_path / "t"
    )
    typed = pyarrow.dataset.partitioning(pa.schema([("lang", pa.string())]), flavor="hive")
    read = pyarrow.dataset.dataset(tmp_path / "t", partitioning=typed).to_table().sort_by("n")
    assert read.to_pylist() == [{"n": n, "lang": expected(each, by="arrow")} for n, each in rows]
    glob = str(tmp_path / "t" / "*" / "*.parquet")
    query = (
        "select n, lang from read_parquet(?, hive_partitioning=true, hive_types={'lang': VARCHAR}) "
        "order by n"
    )
    assert duckdb.execute(query, [glob]).fetchall() == rows


def test_no_disk_takes_two_values_for_one() -> None:
    values = list(dict.fromkeys(VALUES))
    folders = [partition_folder("lang", value) for value in values]
    assert len({folder.lower().rstrip(". ") for folder in folders}) == len(values)
    assert all(folder.isascii() for folder in folders)
    assert not set('/\\:*?"<>|[\0 ') & set("".join(folders))


@given(values=st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=2, max_size=2))
def test_two_values_have_two_folders_on_every_disk(values: list[str | None]) -> None:
    first, second = (partition_folder("lang", value).lower().rstrip(". ") for value in values)
    assert (first == second) == (values[0] == values[1])


@settings(max_examples=50, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.sampled_from([None, "", "a", "A", "b", "c"]), min_size=1, max_size=20),
        min_size=1,
        max_size=8,
    ),
    row_group_bytes=st.integers(1, 1_000),
    file_bytes=st.sampled_from([1, 2_000, 1 << 20]),
)
def test_rows_keep_their_order_whatever_the_sizes(
    batches: list[list[str | None]],
    row_group_bytes: int,
    file_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    numbers = iter(range(1_000))
    rows = [[(next(numbers), value) for value in each] for each in batches]
    layout = ParquetLayout(
        partition_by="lang", row_group_bytes=row_group_bytes, file_bytes=file_bytes
    )
    folder = tmp_path_factory.mktemp("staged")
    staged = write(folder, layout, *(batch(*each) for each in rows))
    by_value: dict[str, list[int]] = defaultdict(list)
    for file in staged:
        table = pq.read_table(file.path)
        assert table.num_rows == file.rows
        assert Path(file.path).stat().st_size == file.bytes
        by_value[file.subfolder] += table.column("n").to_pylist()
    wanted: dict[str, list[int]] = defaultdict(list)
    for n, value in (row for each in rows for row in each):
        wanted[partition_folder("lang", value)].append(n)
    assert by_value == wanted
    assert {path.name for path in folder.iterdir()} == {Path(file.path).name for file in staged}


def test_a_thousand_values_need_one_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    most = 0
    stage_streams = partitioned_files.stage_streams

    def staged_and_counted(*arguments: Any, **named: Any) -> StagedFile:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")) - before)
        return stage_streams(*arguments, **named)

    monkeypatch.setattr(partitioned_files, "stage_streams", staged_and_counted)
    rows = [(n, f"v{n % 1_500}") for n in range(6_000)]
    layout = ParquetLayout(partition_by="lang", row_group_bytes=40_000)
    staged = write(tmp_path, layout, *(batch(*rows[at : at + 500]) for at in range(0, 6_000, 500)))
    assert len({file.subfolder for file in staged}) == 1_500
    assert sum(file.rows for file in staged) == 6_000
    assert most <= 4


def test_the_rows_that_are_held_are_bounded(tmp_path: Path) -> None:
    """A rare value does not keep the memory of the batches that it came with."""
    output = partitioned_files.PartitionedFiles(
        SCHEMA, "lang", row_group_bytes=20_000, file_bytes=1 << 30, folder=str(tmp_path),
        files=BeamFiles(), new_writer=pq.ParquetWriter,
    )  # fmt: skip
    before = pa.total_allocated_bytes()
    for at in range(0, 100_000, 500):
        list(
            output.write(
                batch(*((n, f"rare{n}" if n % 500 == 0 else "en") for n in range(at, at + 500)))
            )
        )
        assert pa.total_allocated_bytes() - before < 200_000
    assert sum(file.rows for file in output.close()) == 100_000


def test_a_column_of_too_many_values_is_refused(tmp_path: Path) -> None:
    rows = [(n, str(n)) for n in range(10_001)]
    with pytest.raises(ConfigError, match="at most 10,000 values, got more in 'lang'"):
        write(tmp_path, FEW, batch(*rows))


LONGEST = 255 - len("lang=")


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("a" * LONGEST, True),
        ("a" * (LONGEST + 1), False),
        ("A" * (LONGEST // 3), True),  # a capital letter is three bytes
        ("A" * (LONGEST // 3 + 1), False),
        ("a" * (LONGEST - 2) + ".", False),  # and a dot at the end
        ("\u00e9" * 41, True),  # six bytes each
        ("\u00e9" * 42, False),
        ("\U0001f600" * 20, True),
        ("\U0001f469\u200d\U0001f680" * 20, False),
    ],
)
def test_a_long_value_has_a_folder_with_a_digest(value: str, fits: bool) -> None:
    folder = partition_folder("lang", value)
    assert len(folder) <= 255
    assert is_shortened(folder) == (not fits)
    if not fits:
        begin, digest = unquote(folder).removeprefix("lang=").split("~")
        assert value.startswith(begin)
        assert len(begin) > 15
        assert digest == hashlib.sha256(value.encode()).hexdigest()[:32]


@given(st.text(min_size=90, max_size=300), st.text(min_size=1, max_size=3), st.text(max_size=300))
def test_two_long_values_have_two_folders(begin: str, one: str, other: str) -> None:
    assert partition_folder("c", begin + one) != partition_folder("c", begin)
    same = partition_folder("c", begin).lower() == partition_folder("c", other).lower()
    assert same == (begin == other)


def test_rows_of_long_values_are_written_with_the_value_in_the_metadata(tmp_path: Path) -> None:
    long = "\U0001f469\u200d\U0001f680" * 20
    values = [long, "en", long + "x", "x" * 20_000]
    staged = write(tmp_path, FEW, batch(*enumerate([*values, *values])))
    assert len({file.subfolder for file in staged}) == 4
    kept = []
    for file in staged:
        assert pq.read_table(file.path).num_rows == 2
        kept.append((pq.read_schema(file.path).metadata or {}).get(b"partition", b"").decode())
    assert set(kept) == {"", long, long + "x", "x" * 10_000}


def test_a_column_whose_name_leaves_no_room_is_refused() -> None:
    check_partition_column("c" * 221)
    with pytest.raises(ConfigError, match="at most 221 bytes in the name of a folder"):
        check_partition_column("c" * 222)
