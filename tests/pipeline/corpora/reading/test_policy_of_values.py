"""README's table "What becomes of a value" against the code: each cell, in each format."""

import datetime
import decimal
import json
import math
import re
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats.bigquery import row_to_line
from pipeline.corpora.reading.columns import input_columns, kept_alone
from tests.pipeline.corpora.formats.test_parquet import parquet_bytes
from tests.pipeline.corpora.formats.whole_file import read_bytes

README = Path(__file__).parents[4] / "README.md"
MARKER = "NULL"  # in `null_values` of every file here
UUID = uuid.UUID("55691006-3207-4194-8f65-1856bfb94139")
MOMENT = datetime.datetime(2026, 11, 20, 1, 2, 3, 4, tzinfo=datetime.UTC)
BIG = 123456789012345678901

# The column of the table -> the columns of the input, where the value is in the column `v`.
FIELDS = {
    "id": ("document_id", ColumnsConfig(id="v")),
    "label": ("label", ColumnsConfig(label="v")),
    "labels": ("labels", ColumnsConfig(labels="v")),
    "text": ("text", ColumnsConfig(text="v")),
    "weight": ("weight", ColumnsConfig(weight="v")),
    "kept": ("v", ColumnsConfig(keep=("v",))),
    "split": ("split", ColumnsConfig(split="v")),
    "group": ("group", ColumnsConfig(group="v")),
}


def _text(value: str) -> dict[str, list[Any]]:
    """A text in every format; a blank CSV file of one column is no row, so it is quoted there."""
    return {
        "jsonl": [json.dumps(value)],
        "csv": ['"' + value + '"'],
        "parquet": [pa.array([value]), pa.array([value], pa.large_string())],
        "tfrecord": [tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))],
        "bigquery": [value],
    }


def _ints(value: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def _floats(value: float) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))


def _parquet_floats(value: float) -> list[pa.Array]:
    return [pa.array([value], kind) for kind in (pa.float64(), pa.float32(), pa.float16())]


def _numbers(value: float) -> dict[str, list[Any]]:
    return {
        "jsonl": [json.dumps(value)],
        "parquet": _parquet_floats(value),
        "tfrecord": [_floats(value)],
        "bigquery": [value],
    }


# The first words of a row of the table -> the value as each format may hold it. CSV has text alone.
VALUES: dict[str, dict[str, list[Any]]] = {
    "null": {
        "jsonl": ["null", json.dumps(MARKER), json.dumps(f" {MARKER} ")],
        "csv": [MARKER],
        "parquet": [pa.array([None], pa.string()), pa.array([MARKER]), pa.nulls(1)],
        "tfrecord": [tf.train.Feature(), *_text(MARKER)["tfrecord"]],
        "bigquery": [None, MARKER],
    },
    "empty": _text(" "),
    'text `" dev "`': _text(" dev "),
    'text `"007"`': _text("007"),
    'text `"1.0"`': _text("1.0"),
    'text `"[1.0]"`': _text("[1.0]"),
    "integer 7": {
        "jsonl": ["7"],
        "parquet": [pa.array([7], kind) for kind in (pa.int64(), pa.uint8())],
        "tfrecord": [_ints(7)],
        "bigquery": [7],
    },
    f"integer {BIG}": {
        "jsonl": [str(BIG)],
        "parquet": [pa.array([decimal.Decimal(BIG)], pa.decimal128(38, 0))],
        "bigquery": [decimal.Decimal(BIG)],
    },
    "float 1.0": _numbers(1.0),
    "float 4.5": _numbers(4.5),
    "decimal 1.00": {
        "parquet": [pa.array([decimal.Decimal("1.00")], pa.decimal128(38, 2))],
        "bigquery": [decimal.Decimal("1.00")],
    },
    "decimal 4.50": {
        "parquet": [
            pa.array([decimal.Decimal("4.50")], kind(9, 2))
            for kind in (pa.decimal32, pa.decimal64, pa.decimal128, pa.decimal256)
        ],
        "bigquery": [decimal.Decimal("4.50")],
    },
    "NaN": {**_numbers(math.nan), "jsonl": ["NaN"]},
    "infinite": {**_numbers(math.inf), "jsonl": ["Infinity"]},
    "true": {"jsonl": ["true"], "parquet": [pa.array([True])], "bigquery": [True]},
    "date": {
        "parquet": [pa.array([MOMENT.date()], kind) for kind in (pa.date32(), pa.date64())],
        "bigquery": [MOMENT.date()],
    },
    "timestamp": {
        "parquet": [pa.array([MOMENT], pa.timestamp("us", "UTC"))],
        "bigquery": [MOMENT],
    },
    "UUID": {
        "parquet": [pa.array([UUID.bytes], pa.uuid())],
    },
    "bytes": {
        "parquet": [pa.array([b"test"]), pa.array(["test"]).dictionary_encode()],
        "tfrecord": _text("test")["tfrecord"],
        "bigquery": [b"test"],
    },
    "list": {"jsonl": ['["a", 1.0]']},
    "object": {
        "jsonl": ['{"a": 4.5}'],
        "parquet": [
            pa.array([{"a": 4.5}]),
            pa.array([[("a", 4.5)]], pa.map_(pa.string(), pa.float64())),
        ],
        "bigquery": [{"a": 4.5}],
    },
}


FIXED = pa.array([UUID.bytes], pa.binary(16))


def write_value(kind: str, value: Any, columns: ColumnsConfig, folder: Path) -> tuple[bytes, str]:
    """A file with one row, which has the value in the column `v`; and the format to read it as."""
    if kind == "jsonl":
        return f'{{"v": {value}, "text": "a b"}}'.encode(), kind
    if kind == "csv":
        return f"v,text\n{value},a b\n".encode(), kind
    if kind == "parquet":
        return parquet_bytes(pa.table({"v": value, "text": ["a b"]})), kind
    if kind == "bigquery":
        row = {"v": value, "text": "a b"}
        return row_to_line(row, input_columns(columns), kept_alone(columns)), "jsonl"
    path = folder / "rows.tfrecord"
    feature = {"v": value, "text": _text("a b")["tfrecord"][0]}
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example.SerializeToString())
    return path.read_bytes(), kind


def read_table() -> dict[str, dict[str, str]]:
    """The cells of README's table by the first words of the row and the name of the column."""
    section = README.read_text(encoding="utf-8").split("#### What becomes of a value")[1]
    lines = [line for line in section.split("\n#")[0].splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert header == ["value", *FIELDS]
    table = {}
    for first, *cells in rows:
        [kind] = [
            kind
            for kind in VALUES
            if re.match(re.escape(kind) + r"\b|" + re.escape(kind) + "$", first)
        ]
        table[kind] = dict(zip(FIELDS, cells, strict=True))
    return table


TABLE = read_table()


def test_the_table_has_a_row_for_every_kind_of_value() -> None:
    assert set(TABLE) == set(VALUES)


def expected_in(cell: str, kind: str) -> Any:
    """What a cell says: "rejected", None for no value, or the value."""
    usual, _, in_csv = cell.partition("; CSV: ")
    said = in_csv if in_csv and kind == "csv" else usual
    if said in ("none", "rejected"):
        return None if said == "none" else said
    return json.loads(re.fullmatch(r"`(.*)`", said).group(1))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", VALUES)
def test_a_cell_says_what_becomes_of_the_value(value: str, field: str, tmp_path: Path) -> None:
    name, columns = FIELDS[field]
    for kind, variants in VALUES[value].items():
        if value == "UUID" and field != "text":
            variants = [*variants, FIXED]
        if kind == "tfrecord" and field == "labels":
            continue  # a feature always is a list of labels there
        for variant in variants:
            content, read_as = write_value(kind, variant, columns, tmp_path)
            read = read_bytes(
                content, columns=columns, format=read_as, null_values=(MARKER, "unused")
            )
            assert read.rows_read == 1
            found = read.documents[0][name] if read.documents else "rejected"
            expected = expected_in(TABLE[value][field], kind)
            if expected is None and name == "document_id":
                expected = "rows#0"
            if name == "weight" and isinstance(expected, int | float):
                expected = pytest.approx(expected)
            assert found == expected, (kind, variant)
            for rejection in read.rejections:
                assert rejection["detail"].startswith("expected ")
