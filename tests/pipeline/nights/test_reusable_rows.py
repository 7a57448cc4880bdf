"""ReusableRows: look-ups in a partition, against a dictionary."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.nights import reusable_rows
from pipeline.nights.reusable_partition import ReusablePartition
from pipeline.nights.reusable_rows import ReusableRows
from pipeline.storage.beam_files import BeamFiles


def write(folder: Path, *rows_of_files: list[tuple[str, str]]) -> ReusablePartition:
    paths = []
    for number, rows in enumerate(rows_of_files):
        ids, digests = zip(*rows, strict=True) if rows else ((), ())
        table = pa.table(
            {
                "document_id": pa.array(ids, pa.string()),
                "text_sha256": pa.array(digests, pa.string()),
                "label_index": pa.array([at % 2 for at in range(len(rows))], pa.int32()),
            }
        )
        paths.append(str(folder / f"{number}.parquet"))
        pq.write_table(table, paths[-1], row_group_size=2)
    return ReusablePartition(date="2026-11-19", run_id="run", paths=tuple(paths), labels=("a", "b"))


def look_up(rows: ReusableRows, wanted: list[tuple[str, str]]) -> tuple[dict[int, str], int]:
    ids, digests = (pa.array([each[at] for each in wanted], pa.string()) for at in (0, 1))
    found = rows.find(ids, digests)
    if found.predictions is None:
        return {}, found.known
    names = found.predictions.column("document_id").to_pylist()
    return dict(zip(found.rows.tolist(), names, strict=True)), found.known


ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xy")), max_size=8)


@given(first=ROWS, second=ROWS, wanted=ROWS)
def test_what_is_unchanged_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[tuple[str, str]],
    second: list[tuple[str, str]],
    wanted: list[tuple[str, str]],
) -> None:
    unique = dict([*first, *second])
    chosen = list(unique.items())
    parts = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    rows = ReusableRows(write(tmp_path_factory.mktemp("partition"), *parts), BeamFiles())
    found, known = look_up(rows, wanted)
    assert found == {at: row[0] for at, row in enumerate(wanted) if unique.get(row[0]) == row[1]}
    assert known == sum(row[0] in unique for row in wanted)
    assert len(rows) == len(unique)


def test_a_label_that_only_the_folder_names_is_restored(tmp_path: Path) -> None:
    rows = ReusableRows(write(tmp_path, [("1", "x"), ("2", "x")]), BeamFiles())
    found = rows.find(pa.array(["2", "1"]), pa.array(["x", "x"]))
    assert found.rows.tolist() == [1, 0]
    assert found.predictions is not None
    assert found.predictions.column("label").to_pylist() == ["a", "b"]


def test_strings_that_share_a_key_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reusable_rows, "string_keys", lambda strings: np.full(len(strings), 7, np.uint64)
    )
    rows = ReusableRows(write(tmp_path, [("1", "x")]), BeamFiles())
    assert look_up(rows, [("other", "x"), ("1", "x"), ("1", "y")])[0] == {1: "1"}


def test_reuse_stops_where_a_scrambled_order_costs_more_than_scoring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reusable_rows, "CACHE_BYTES", 1)
    monkeypatch.setattr(reusable_rows, "FREE_ROWS", 20)
    monkeypatch.setattr(reusable_rows, "MAX_READ_AMPLIFICATION", 1)
    wanted = [(str(at), "x") for at in range(100)]
    rows = ReusableRows(write(tmp_path, wanted), BeamFiles())
    found = [look_up(rows, [wanted[at * 37 % 100]])[0] for at in range(100)]
    assert 10 < sum(map(bool, found)) < 50
    in_order = ReusableRows(write(tmp_path, wanted), BeamFiles())
    assert all(look_up(in_order, wanted[at : at + 2])[0] for at in range(0, 100, 2))
