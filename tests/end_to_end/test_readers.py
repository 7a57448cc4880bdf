"""pandas, Polars, DuckDB and Spark read the partition without conversion, with equal content."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.sections import OutputConfig, ScoringConfig
from tests.pipeline.stages.nights import Nights, make_rows
from tests.pipeline.tiny_model import write_model

ROWS = 500
README = Path(__file__).resolve().parents[2] / "README.md"
README_FILES = "out/predictions/dt=*/**/*.parquet"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("readers")
    made = Nights(folder=folder, model=write_model(folder / "model", wide=True))
    rows = make_rows(ROWS)
    made.write([{**row, "text": f"{row['text']} 日本 👩‍🚀 Don't"} for row in rows], shards=3)
    made.score()
    return made


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: row["document_id"])


def plain(value: Any) -> Any:
    """Converts arrays and rows of other libraries to lists."""
    if isinstance(value, np.ndarray | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def read_pandas(folder: str) -> list[dict[str, Any]]:
    import pandas as pd

    return pd.read_parquet(folder).drop(columns=["dt"], errors="ignore").to_dict("records")


def read_polars(folder: str) -> list[dict[str, Any]]:
    import polars

    return polars.read_parquet(f"{folder}/*.parquet", hive_partitioning=False).to_dicts()


def read_duckdb(folder: str) -> list[dict[str, Any]]:
    import duckdb

    read = f"FROM read_parquet('{folder}/*.parquet', hive_partitioning = false)"
    return duckdb.sql(read).to_arrow_table().to_pylist()


def read_spark(folder: str) -> list[dict[str, Any]]:
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
    session = sql.SparkSession.builder.master("local[1]").getOrCreate()
    try:
        return [row.asDict() for row in session.read.parquet(folder).collect()]
    finally:
        session.stop()


@pytest.mark.parametrize(
    "read",
    [read_pandas, read_polars, read_duckdb, pytest.param(read_spark, marks=pytest.mark.slow)],
)
def test_every_reader_finds_the_same_rows(
    nights: Nights, read: Callable[[str], list[dict[str, Any]]]
) -> None:
    folder = nights.partition().predictions
    expected = rows_of(pq.read_table(folder, partitioning=None))
    assert len(expected) == ROWS
    found = [{name: plain(value) for name, value in row.items()} for row in read(folder)]
    assert sorted(found, key=lambda row: row["document_id"]) == expected


@pytest.mark.parametrize("read", [read_pandas, read_polars, read_duckdb])
def test_half_precision_is_read_by_the_readers_that_support_it(
    nights: Nights, read: Callable[[str], list[dict[str, Any]]]
) -> None:
    scoring = ScoringConfig(output=OutputConfig(attention_type="float16"))
    nights.score(config=dataclasses.replace(nights.config(), scoring=scoring), date="2026-11-21")
    found = read(nights.partition("2026-11-21").predictions)
    sums = [float(np.sum(np.asarray(row["attention"], np.float32))) for row in found]
    np.testing.assert_allclose(sums, 1, atol=2e-3)


def queries() -> dict[str, str]:
    """The queries of README, by the comment at their start."""
    blocks = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return {block.splitlines()[0].removeprefix("-- "): block for block in blocks}


def run_query(name: str, nights: Nights) -> list[dict[str, Any]]:
    import duckdb

    query = queries()[name]
    assert README_FILES in query
    own = README_FILES.replace("out/", f"{nights.output}/").replace("dt=*", "dt=2026-11-20")
    return duckdb.sql(query.replace(README_FILES, own)).to_arrow_table().to_pylist()


def test_label_counts(nights: Nights) -> None:
    labels = nights.table().column("label").to_pylist()
    found = run_query("label counts", nights)
    assert {row["label"]: row["documents"] for row in found} == {
        label: labels.count(label) for label in set(labels)
    }


def test_the_least_certain_documents(nights: Nights) -> None:
    table = nights.table()
    found = run_query("the least certain documents", nights)
    assert [row["score"] for row in found] == sorted(table.column("score").to_pylist())[:10]
    for row in found:
        [own] = [each for each in table.to_pylist() if each["document_id"] == row["document_id"]]
        assert row["label"] == own["label"]


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("the top attended tokens of each label", "attention", "attention"),
        ("the tokens that speak most for each label, of a model with a wide part",
         "contribution", "contributions"),
    ],
)  # fmt: skip
def test_the_first_tokens_of_a_label(nights: Nights, name: str, column: str, values: str) -> None:
    expected: dict[tuple[str, str], float] = {}
    for row in nights.table().to_pylist():
        for token, value in zip(row["tokens"], row[values], strict=True):
            key = (row["label"], token.lower())
            expected[key] = expected.get(key, 0.0) + value
    found = run_query(name, nights)
    for label in {label for label, _ in expected}:
        sums = [(row["token"], row[column]) for row in found if row["label"] == label]
        best = sorted((v for (own, _), v in expected.items() if own == label), reverse=True)[:10]
        assert [value for _, value in sums] == pytest.approx(best, rel=1e-4)
        for token, value in sums:
            assert value == pytest.approx(expected[label, token], rel=1e-4)
