"""The config of an input: formats by name, tables."""

from pathlib import Path
from typing import Any

import pytest

from model.config import ConfigError
from pipeline.config.inputs import InputConfig, infer_format
from pipeline.config.loading import build_config, config_of_date
from pipeline.config.placeholders import any_date, fill_date, has_date
from pipeline.config.sections import Config
from pipeline.stages.backfill import backfill
from pipeline.storage.beam_files import BeamFiles

TABLE = {"format": "bigquery", "table": "my-project.tickets.all_2026"}
QUERY = {"format": "bigquery", "query": "SELECT id, text FROM `a.b.c`"}


def config_with(*inputs: dict[str, Any], column: str | None = "id") -> Config:
    corpus = {"inputs": list(inputs), "columns": {"id": column}}
    return build_config({"corpus": corpus}, (), where="c.yaml")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"format": "bigquery"}, "table: expected either table or query for format: bigquery"),
        (TABLE | QUERY, "table: expected either table or query for format: bigquery"),
        (TABLE | {"path": "x"}, "path: expected no path, but table or query, for format: bigquery"),
        ({"path": "x", "table": "a.b.c"}, "table: expected null for format: jsonl, got 'a.b.c'"),
        ({"path": "x", "query": "SELECT"}, "query: expected null for format: jsonl, got 'SELECT'"),
        (TABLE | {"table": "tickets.all"}, "table: expected project.dataset.table, got "),
        (TABLE | {"table": "a.b.c; DROP"}, "table: expected project.dataset.table, got "),
        (TABLE | {"table": ""}, "table: expected project.dataset.table, got ''"),
        (QUERY | {"query": " "}, "query: expected a SELECT statement, got ' '"),
        (TABLE | {"encoding": "latin-1"}, "encoding: expected utf-8 for format: bigquery"),
    ],
)
def test_an_invalid_table_is_refused_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config_with(given)
    assert f"corpus.inputs.0.{message}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_table_needs_a_column_of_ids_and_is_named_once() -> None:
    with pytest.raises(ConfigError, match=r"columns\.id: expected the column of ids"):
        config_with(TABLE, column=None)
    with pytest.raises(ConfigError, match="inputs: expected each table or query once"):
        config_with(TABLE, QUERY, TABLE | {"split": "test"})
    assert len(config_with(TABLE, QUERY, {"path": "x"}).corpus.inputs) == 3


@pytest.mark.parametrize("table", ["example.com:old-1.set.t", "p-1.d_2.T-3$20261120"])
def test_every_form_of_a_table_name_is_accepted(table: str) -> None:
    [item] = config_with(TABLE | {"table": table}).corpus.inputs
    assert item.source == f"bigquery:{table}"


def test_a_query_is_named_by_its_digest_in_one_line() -> None:
    source = InputConfig(format="bigquery", query="SELECT 1\nFROM t").source
    assert source.startswith("bigquery:query:")
    assert source == InputConfig(format="bigquery", query="SELECT 1\nFROM t").source
    assert source != InputConfig(format="bigquery", query="SELECT 2\nFROM t").source
    assert "\n" not in source


def test_the_date_replaces_its_placeholder_in_tables_queries_and_paths() -> None:
    dated = config_with(
        TABLE | {"table": "p.d.t_{date}"}, QUERY | {"query": "SELECT '{date}'"}, {"path": "{date}"}
    )
    table, query, path = config_of_date(dated, "2026-11-20").corpus.inputs
    assert (table.table, table.query, table.path) == ("p.d.t_2026-11-20", None, "")
    assert (query.table, query.query, query.path) == (None, "SELECT '2026-11-20'", "")
    assert (path.table, path.query, path.path) == (None, None, "2026-11-20")


def test_a_backfill_of_a_table_without_a_date_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\{date\} in an input.*got bigquery:my-project"):
        backfill(
            config_with(TABLE),
            ["2026-11-20"],
            model="none",
            output="none",
            beam_options=[],
            files=BeamFiles(),
        )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.jsonl", "jsonl"),
        ("gs://b/*.JSONL.GZ", "jsonl"),
        ("x.json.zst", "jsonl"),
        ("a.b/x.csv.bz2", "csv"),
        ("x.jsonl.gzip", "jsonl"),
        ("x.tsv.zstd", "csv"),
        ("x.tsv", "csv"),
        ("x.parquet", "parquet"),
        ("x.txt", "text"),
        ("x.tfrecord.gz", "tfrecord"),
    ],
)
def test_the_ending_of_a_name_gives_the_format(path: str, expected: str) -> None:
    assert infer_format(path) == expected


@pytest.mark.parametrize(
    ("text", "dated"),
    [
        ("in/{date}/x", "in/2026-11-05/x"),
        ("in/{date:%Y/%m/%d}/x", "in/2026/11/05/x"),
        ("year={date:%Y}/month={date:%m}", "year=2026/month=11"),
        ("t_{date:%Y%m%d}", "t_20261105"),
        ("{name}/{dates}", "{name}/{dates}"),
    ],
)
def test_placeholders_of_the_date(text: str, dated: str) -> None:
    assert fill_date(text, "2026-11-05") == dated
    assert has_date(text) is (text != dated)


def test_any_date_is_a_pattern_of_every_date() -> None:
    assert any_date("in/{date:%Y/%m}/{date}/x") == "in/*/*/*/x"


@pytest.mark.parametrize("path", ["{date:%Q}", "{date:}", "{date:x}", "{date:%}", "{date:%H}"])
def test_a_format_that_is_none_of_a_date_is_an_error(path: str) -> None:
    with pytest.raises(ValueError, match=r"path: expected \{date\} with directives among %Y"):
        InputConfig(path=path)


def test_a_file_whose_name_has_a_placeholder_is_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("{date}.csv").touch()
    for path, dated in (("{date}.csv", "{date}.csv"), ("{date}.tsv", "2026-11-20.tsv")):
        assert InputConfig(path=path).of_date("2026-11-20").path == dated


@pytest.mark.parametrize("path", ["corpus", "a.jsonl/part-1", "x.gz", "x.doc", "*"])
def test_a_name_without_a_known_ending_is_an_error(path: str) -> None:
    with pytest.raises(ConfigError) as raised:
        infer_format(path)
    assert str(raised.value).startswith(f"--input {path}: expected a name ending in jsonl, ")


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ({"path": "a/x.csv.gz"}, ("csv", ",")),
        ({"path": "x.csv", "delimiter": ";"}, ("csv", ";")),
        ({"path": "x.tsv"}, ("csv", "\t")),
        ({"path": "x.tsv", "delimiter": ","}, ("csv", ",")),
        ({"path": "x.tsv", "format": "csv"}, ("csv", ",")),
        ({"path": "all.parquet/part-*"}, ("parquet", ",")),
        ({"path": "{date}/*.tfrecord"}, ("tfrecord", ",")),
        ({"path": "x.csv", "format": "jsonl"}, ("jsonl", ",")),
        ({"path": "x.txt"}, ("jsonl", ",")),
        ({"path": "folder"}, ("jsonl", ",")),
    ],
)
def test_an_input_without_a_format_has_that_of_its_ending(
    values: dict[str, Any], read: tuple[str, str]
) -> None:
    [item] = config_with(values).corpus.inputs
    assert (item.format, item.delimiter) == read
