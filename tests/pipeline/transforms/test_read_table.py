"""ReadTable: equal rows of a table give equal files."""

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from pipeline.config.inputs import InputConfig
from pipeline.corpora.formats.bigquery import bucket_of
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.staged_lists import read_staged_list
from pipeline.transforms import read_table
from pipeline.transforms.list_files import ListFiles
from pipeline.transforms.read_table import ReadTable
from tests.pipeline.transforms.local_beam import local_pipeline
from tests.pipeline.transforms.storage_read_api import serve_rows

FILES = BeamFiles()
TABLE = InputConfig(format="bigquery", table="my-project.set.table")
ROWS = [{"id": str(row), "text": f"text {row}", "more": row} for row in range(700)]


def read(folder: Path) -> dict[str, bytes]:
    """The files by name; each is checked against the StagedFile that the transform yields."""
    listed = str(folder / "files.json")
    with local_pipeline() as root:
        (
            root
            | ReadTable(TABLE, ("id", "text"), (), str(folder), FILES)
            | ListFiles(listed, FILES)
        )  # fmt: skip
    found = {}
    for staged in read_staged_list(FILES, listed):
        content = Path(staged.path).read_bytes()
        assert (staged.bytes, staged.rows) == (len(content), content.count(b"\n"))
        found[Path(staged.path).name] = content
    return found


@pytest.mark.parametrize("bundle_bytes", [100, 16 << 20])
def test_the_same_rows_make_the_same_files_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle_bytes: int
) -> None:
    monkeypatch.setattr(read_table, "BUNDLE_BYTES", bundle_bytes)
    monkeypatch.setattr(read_table, "rows_of", lambda _: beam.Create([*ROWS, ROWS[0]]))
    found = read(tmp_path / "a")
    monkeypatch.setattr(read_table, "rows_of", lambda _: beam.Create([ROWS[0], *ROWS[::-1]]))
    assert read(tmp_path / "b") == found
    lines = b"".join(found.values()).splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: int(row["id"]))
    assert rows == [{"id": row["id"], "text": row["text"]} for row in [ROWS[0], *ROWS]]
    for name, content in found.items():
        of_bucket = content.splitlines()
        assert of_bucket == sorted(of_bucket)
        assert {f"{bucket_of(line):03d}.jsonl" for line in of_bucket} == {name}


def test_the_connector_reads_the_table_and_its_rows_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numeric = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}
    types: list[Any] = [
        ["null", "string"],
        {"type": "long", "logicalType": "timestamp-micros"},
        numeric,
        {"type": "array", "items": "string"},
    ]
    names = ("id", "text")
    for kind, value, expected in zip(
        types,
        (
            None,
            datetime.datetime(2026, 11, 20, 1, 2, 3, tzinfo=datetime.UTC),
            decimal.Decimal("1.5"),
            ["a", "b"],
        ),
        (None, "2026-11-20 01:02:03+00:00", 1.5, ["a", "b"]),
        strict=True,
    ):
        fields = [{"name": names[0], "type": "long"}, {"name": names[1], "type": kind}]
        schema = {"type": "record", "name": "root", "fields": fields}
        rows = [{"id": row, "text": value} for row in range(7)]
        asked = serve_rows(monkeypatch, schema, rows)
        folder = tmp_path / str(types.index(kind))
        lines = b"".join(read(folder).values()).splitlines()
        found = sorted((json.loads(line) for line in lines), key=lambda row: row["id"])
        assert found == [{"id": row, "text": expected} for row in range(7)]
        assert set(asked) == {"projects/my-project/datasets/set/tables/table"}


def test_a_query_is_read_as_standard_sql() -> None:
    connector = read_table.rows_of(InputConfig(format="bigquery", query="SELECT 1"))
    assert connector._kwargs == {"query": "SELECT 1", "use_standard_sql": True}
    assert connector.method == "DIRECT_READ"
