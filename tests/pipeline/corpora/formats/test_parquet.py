import datetime
import decimal
import io
import struct
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.inputs import InputConfig
from pipeline.config.sections import ColumnsConfig, CorpusConfig
from pipeline.corpora.formats.arrow_values import interval_values
from pipeline.corpora.formats.read_part import read_part
from pipeline.corpora.reading.open_parquet import open_parquet
from pipeline.corpora.reading.parts import FilePart
from tests.pipeline.corpora.formats.whole_file import read_bytes, read_file

_UUID = uuid.UUID("55691006-3207-4194-8f65-1856bfb94139")
_UUIDS = pa.array([_UUID.bytes], pa.uuid())
_TIME = datetime.datetime(2026, 11, 20, 1, 2, 3, 4, tzinfo=datetime.UTC)
_MAP = pa.map_(pa.string(), pa.int64())
_MOMENT = pa.struct([("t", pa.timestamp("us", "UTC"))])


def parquet_bytes(table: pa.Table, **settings: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **settings)
    return sink.getvalue()


def not_utf8(values: list[bytes]) -> pa.Array:
    """A string column that is not UTF-8; Arrow writes it without an error."""
    binary = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(values), binary.buffers())


def test_all_fields_of_a_document(tmp_path: Path) -> None:
    span = pa.struct([("start", pa.int64()), ("end", pa.int64())])
    table = pa.table(
        {
            "key": pa.array([1, None], pa.int32()),
            "text": ["a fine film", "a bad one"],
            "label": pa.array(["pos", "neg"]).dictionary_encode(),
            "topics": pa.array([["film"], []]),
            "teacher": pa.array([[0.75, 0.25], None], pa.list_(pa.float32())),
            "weight": pa.array([0.5, None], pa.float64()),
            "why": pa.array([[{"start": 2, "end": 6}], None], pa.list_(span)),
            "split": ["train", "val"],
            "day": pa.array([datetime.date(2026, 11, 20), None]),
            "stars": pa.array([4, 1], pa.uint8()),
            "ignored": [[1], [2]],
        }
    )
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    columns = ColumnsConfig(
        id="key",
        labels="topics",
        probabilities="teacher",
        weight="weight",
        rationale="why",
        split="split",
        keep=("day", "stars"),
    )
    read = read_file(path, format="parquet", columns=columns)
    assert read.documents == [
        {
            "document_id": "1",
            "text": "a fine film",
            "label": "pos",
            "labels": ["film"],
            "soft_labels": [
                {"label": None, "probability": 0.75},
                {"label": None, "probability": 0.25},
            ],
            "weight": 0.5,
            "rationale": [{"start": 2, "end": 6}],
            "split": "train",
            "group": None,
            "source_file": "rows.parquet",
            "source_row": 0,
            "day": "2026-11-20",
            "stars": "4",
        },
        {
            "document_id": "rows.parquet#1",
            "text": "a bad one",
            "label": "neg",
            "labels": [],
            "soft_labels": None,
            "weight": None,
            "rationale": None,
            "split": "validation",
            "group": None,
            "source_file": "rows.parquet",
            "source_row": 1,
            "day": None,
            "stars": "1",
        },
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
def test_any_type_of_text(kind: pa.DataType) -> None:
    table = pa.table({"text": pa.array(["a", None, " ", "é"], pa.string()).cast(kind)})
    read = read_bytes(parquet_bytes(table), format="parquet")
    assert read.texts == ["a", "é"]
    assert read.reasons == [(1, "empty_text"), (2, "empty_text")]


@pytest.mark.parametrize(
    ("array", "kept"),
    [
        (pa.array([0], pa.timestamp("ns")), "1970-01-01 00:00:00.000000000"),
        (pa.array([1], pa.timestamp("ns", "UTC")), "1970-01-01 00:00:00.000000001+00:00"),
        (pa.array([0], pa.timestamp("s", "Nowhere/Unknown")), "1970-01-01 00:00:00.000+00:00"),
        (pa.array([0], pa.timestamp("s", "America/New_York")), "1969-12-31 19:00:00.000-05:00"),
        (pa.array([-1_000_000], pa.date32()), "-0768-02-04"),
        (pa.array([1], pa.time64("ns")), "00:00:00.000000001"),
        (pa.array([decimal.Decimal("1.50")], pa.decimal128(4, 2)), "1.50"),
        (pa.array([[1, None]]), "[1, null]"),
        (pa.array([{"a": b"x"}]), '{"a": "eA=="}'),
        (pa.array([{"a": decimal.Decimal("1.50")}]), '{"a": 1.50}'),
        (pa.array([[float("nan"), 0.1]]), "[null, 0.1]"),
        (pa.array([[0.1, 16777217.0]], pa.list_(pa.float32())), "[0.1, 16777216.0]"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.array([[("a", 1), ("b", None)]], _MAP), '{"a": 1, "b": null}'),
        (pa.array([[("a", 1), ("a", 2)]], _MAP), '[["a", 1], ["a", 2]]'),
        (pa.StructArray.from_arrays([_UUIDS], ["u"]), f'{{"u": "{_UUID}"}}'),
        (pa.array([_UUID.bytes], pa.binary(16)), str(_UUID)),
        (_UUIDS, str(_UUID)),
        (pa.array([b"x" * 5], pa.binary(5)), "xxxxx"),
        (pa.array([{"t": _TIME}], _MOMENT), '{"t": "2026-11-20 01:02:03.000004+00:00"}'),
        (pa.array([[-1_000_000]], pa.list_(pa.date32())), '["-0768-02-04"]'),
        (pa.array([1.5]).dictionary_encode(), "1.5"),
        (pa.array([_TIME]).dictionary_encode(), "2026-11-20 01:02:03.000004+00:00"),
        (pa.array([True]), "true"),
        (pa.array([0.1], pa.float16()), "0.1"),
        (pa.array([[65504.0, 0.1]], pa.list_(pa.float16())), "[65504.0, 0.1]"),
        (pa.array([86_400], pa.duration("s")), "1 day, 0:00:00"),
        (pa.array([172_800_001], pa.duration("ms")), "2 days, 0:00:00.001000"),
        (pa.array([-5_000_000], pa.duration("us")), "-1 day, 23:59:55"),
        (pa.array([86_400 * 10**9], pa.duration("ns")), "1 day, 0:00:00"),
        (pa.array([1], pa.duration("ns")), "0:00:00.000000001"),
        (pa.array([2**62], pa.duration("s")), "53375995583650 days, 7:45:04"),
        (pa.array([[2**62]], pa.list_(pa.duration("us"))), '["53375995 days, 14:00:27.387904"]'),
        (pa.array([{"d": 1}], pa.struct([("d", pa.duration("ns"))])), '{"d": "0:00:00.000000001"}'),
    ],
)
def test_any_type_can_be_kept(array: pa.Array, kept: str) -> None:
    content = parquet_bytes(pa.table({"text": ["a"], "kept": array}))
    read = read_bytes(content, format="parquet", columns=ColumnsConfig(keep=("kept",)))
    assert read.column("kept") == [kept]


_FAR = 1_763_600_000_000  # milliseconds that were stored as seconds


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (pa.timestamp("s"), _FAR),
        (pa.timestamp("s", "UTC"), _FAR),
        (pa.timestamp("s", "Europe/Berlin"), _FAR),
        (pa.timestamp("us"), -(2**62)),
        (pa.date32(), 2**30),
        (pa.time32("s"), 90_000),
        (pa.time64("ns"), -1),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_date_that_cannot_be_written_rejects_its_row(
    kind: pa.DataType, number: int, nested: bool
) -> None:
    values = pa.array([1, number, None], kind if not pa.types.is_time32(kind) else pa.int32())
    values = values.view(kind) if values.type != kind else values
    if nested:
        values = pa.StructArray.from_arrays([values], ["t"])
    content = parquet_bytes(pa.table({"text": ["a", "b", "c"], "k": values}))
    columns = ColumnsConfig(keep=("k",))
    read = read_bytes(content, format="parquet", columns=columns)
    assert read.texts == ["a", "c"]
    assert read.reasons == [(1, "malformed_row")]
    [detail] = [row["detail"] for row in read.rejections]
    assert f"in its range, got {number}" in detail
    assert "(in 'k')" in detail


def test_a_time_with_zone_in_a_list_beside_one_out_of_range() -> None:
    values = pa.array([[0], [_FAR]], pa.list_(pa.timestamp("s", "UTC")))
    content = parquet_bytes(pa.table({"text": ["a", "b"], "k": values}))
    read = read_bytes(content, format="parquet", columns=ColumnsConfig(keep=("k",)))
    assert read.column("k") == ['["1970-01-01 00:00:00.000+00:00"]']


def test_an_interval_of_parquet_is_months_days_and_a_time() -> None:
    interval = struct.pack("<III", 3, 1, 61_500)
    assert interval_values(pa.array([interval, bytes(12), None], pa.binary(12))) == [
        "3 months, 1 day, 0:01:01.500000",
        "0:00:00",
        None,
    ]


def test_intervals_are_kept_as_text(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "i.parquet"
    duckdb.sql(f"copy (select 'a' as text, interval 3 month as k) to '{path}'")
    read = read_bytes(path.read_bytes(), format="parquet", columns=ColumnsConfig(keep=("k",)))
    assert read.column("k") == ["3 months, 0:00:00"]


def test_types_that_arrow_cannot_read_are_named(tmp_path: Path) -> None:
    values = pa.array([[1, 2], None], pa.list_(pa.int32(), 2))
    content = parquet_bytes(pa.table({"text": ["a", "b"], "k": values}))
    read = read_bytes(content, format="parquet", columns=ColumnsConfig(keep=("k",)))
    assert read.broken is not None
    assert read.broken.startswith("expected types that Arrow can read, got one that it cannot (Exp")
    polars = pytest.importorskip("polars")
    path = tmp_path / "i.parquet"
    frame = polars.DataFrame({"text": ["a"], "i": polars.Series([2**100], dtype=polars.Int128)})
    frame.write_parquet(path)
    read = read_bytes(path.read_bytes(), format="parquet")
    assert read.broken is not None
    assert "got one that it cannot (Integers with more than 64 bits" in read.broken


def test_integers_and_booleans_are_labels() -> None:
    table = pa.table({"text": ["a", "b"], "label": [1, 0], "spam": [True, False]})
    content = parquet_bytes(table)
    assert read_bytes(content, format="parquet").column("label") == ["1", "0"]
    read = read_bytes(content, format="parquet", columns=ColumnsConfig(label="spam"))
    assert read.column("label") == ["true", "false"]


@pytest.mark.parametrize("dictionary", [False, True])
def test_a_text_that_is_not_utf_8_is_rejected_alone(dictionary: bool) -> None:
    table = pa.table({"text": not_utf8([b"a", b"caf\xe9", b"caf\xc3\xa9"])})
    content = parquet_bytes(table, use_dictionary=dictionary)
    read = read_bytes(content, format="parquet")
    assert read.texts == ["a", "café"]
    assert read.reasons == [(1, "not_utf8")]
    read = read_bytes(content, format="parquet", errors="replace")
    assert read.texts == ["a", "caf\ufffd", "café"]
    assert read.rows_repaired == 1


def test_labels_that_are_not_utf_8_reject_their_row() -> None:
    labels = pa.ListArray.from_arrays([0, 1, 2], not_utf8([b"ok", b"\xe9"]))
    content = parquet_bytes(pa.table({"text": ["a", "b"], "labels": labels}))
    read = read_bytes(content, format="parquet", columns=ColumnsConfig(labels="labels"))
    assert read.column("labels") == [["ok"]]
    assert read.reasons == [(1, "not_utf8")]


def test_labels_of_bytes_are_decoded() -> None:
    table = pa.table({"text": ["a", "b"], "labels": pa.array([[b"ok"], [b"\xe9"]])})
    columns = ColumnsConfig(labels="labels")
    read = read_bytes(parquet_bytes(table), format="parquet", columns=columns)
    assert (read.column("labels"), read.reasons) == ([["ok"]], [(1, "not_utf8")])


def test_a_rejection_shows_the_row() -> None:
    table = pa.table({"text": ["", "b"], "label": ["é", "pos"], "ignored": [1, 2]})
    read = read_bytes(parquet_bytes(table), format="parquet")
    assert read.rejections[0]["raw"] == '{"text": "", "label": "é"}'.encode()


def test_a_missing_column_is_an_error() -> None:
    content = parquet_bytes(pa.table({"body": ["a"], "label": ["b"]}))
    with pytest.raises(ValueError, match="f: expected a column 'text', got 'body', 'label'"):
        read_bytes(content, name="f", format="parquet")


def test_batches_are_bounded_by_the_bytes_of_their_rows(tmp_path: Path) -> None:
    """A few rows of megabytes among short ones: their mean says nothing of a batch."""
    texts = [f"short {row}" for row in range(3_000)]
    for row in range(1_000, 1_040):
        texts[row] = f"{row} " + "x" * (1 << 20)
    path = tmp_path / "uneven.parquet"
    pq.write_table(pa.table({"text": texts}), path)
    part = FilePart(
        path=str(path), source_file=path.name, input=InputConfig(path=str(path), format="parquet")
    )
    with path.open("rb") as stream:
        batches = [batch.documents for batch in read_part(stream, part, corpus=CorpusConfig())]
    assert max(batch.nbytes for batch in batches) < 9 << 20
    assert [text for batch in batches for text in batch.column("text").to_pylist()] == texts
    assert len(batches) < 15


def test_small_row_groups_are_read_as_one_batch(tmp_path: Path) -> None:
    path = tmp_path / "groups.parquet"
    labels = pa.array(["a", "b"] * 500).dictionary_encode()
    table = pa.table({"text": [f"row {row}" for row in range(1_000)], "label": labels})
    pq.write_table(table, path, row_group_size=10)
    part = FilePart(
        path=str(path), source_file=path.name, input=InputConfig(path=str(path), format="parquet")
    )
    with path.open("rb") as stream:
        [batch] = read_part(stream, part, corpus=CorpusConfig())
    assert batch.documents.column("text").to_pylist() == table.column("text").to_pylist()
    assert batch.documents.column("label").to_pylist() == ["a", "b"] * 500


def test_large_texts_make_small_batches() -> None:
    table = pa.table({"text": ["x" * (1 << 20)] * 40})
    read = read_bytes(
        parquet_bytes(table, compression="none", use_dictionary=False), format="parquet"
    )
    assert read.column("source_row") == list(range(40))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all" * 100])
def test_a_file_that_is_no_parquet_is_broken(content: bytes) -> None:
    read = read_bytes(content, format="parquet")
    assert read.rows_read == 0
    assert "expected Parquet" in str(read.broken)


def test_the_rows_before_damage_are_used() -> None:
    random = np.random.default_rng(0)
    texts = [random.bytes(500).hex() for _ in range(4_000)]
    content = bytearray(
        parquet_bytes(pa.table({"text": texts}), row_group_size=1_000, use_dictionary=False)
    )
    middle = len(content) // 2 + 10_000
    content[middle : middle + 200_000] = bytes(200_000)
    read = read_bytes(bytes(content), format="parquet", batch_rows=100)
    used = len(read.documents)
    assert 1_000 <= used < 4_000
    assert read.texts == texts[:used]
    assert not read.rejections
    assert f"{used:,} of 4,000 rows were read" in str(read.broken)


def test_an_error_of_the_storage_is_raised_as_it_is() -> None:
    class Unreachable(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("the storage went away")

    with pytest.raises(ConnectionResetError):
        open_parquet(Unreachable(parquet_bytes(pa.table({"text": ["a"]}))))


def test_a_file_without_rows() -> None:
    content = parquet_bytes(pa.table({"text": pa.array([], pa.string())}))
    assert read_bytes(content, format="parquet").rows_read == 0
