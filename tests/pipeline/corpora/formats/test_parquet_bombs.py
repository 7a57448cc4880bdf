"""Parquet files of a few kilobytes that unfold to gigabytes: read in little memory, or refused."""

import io
import resource
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.formats import parquet
from pipeline.corpora.stored import watched_pages
from tests.pipeline.corpora.formats.whole_file import Read, read_bytes

MB = 1_000_000


def written(texts: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    array = texts if isinstance(texts, pa.Array) else pa.array(texts)
    pq.write_table(pa.table({"text": array}), stream, **{"compression": "zstd", **options})
    return stream.getvalue()


def repeated(cell: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([cell]))


def read(content: bytes, **options: Any) -> tuple[Read, int]:
    """The rows, and the peak of the bytes that Arrow held."""
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    peak = 0

    decode = parquet._decode_columns

    def watched(*arguments: Any, **named: Any) -> Any:
        nonlocal peak
        peak = max(peak, pool.bytes_allocated() - before)
        return decode(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_decode_columns", watched)
        found = read_bytes(content, format="parquet", columns=ColumnsConfig(label=None), **options)
    return found, peak


@pytest.mark.parametrize("codec", ["zstd", "gzip", "brotli"])
def test_a_page_that_unfolds_to_much_is_refused_before_it_is_made(codec: str) -> None:
    content = written(
        ["first", "a" * 140 * MB], use_dictionary=False, compression=codec, row_group_size=1
    )
    assert len(content) < 250_000
    found, peak = read(content)
    assert found.texts == ["first"]
    assert found.broken is not None
    assert found.broken.startswith("expected a page of at most 134,217,728 bytes in column 'text'")
    assert "and 1 values" in found.broken
    assert peak < 10 * MB


def test_a_large_page_of_real_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_pages, "PAGE_BYTES", 100_000)
    texts = [
        "".join(map(chr, row)) for row in np.random.default_rng(0).integers(65, 90, (40, 9000))
    ]
    found, _ = read(written(texts, use_dictionary=False))
    assert found.texts == texts
    found, _ = read(written(["a" * 9000] * 40, use_dictionary=False))
    assert found.broken is not None


def test_a_dictionary_is_unfolded_a_few_rows_at_a_time() -> None:
    for store_schema in (True, False):  # read as a dictionary, and as text
        cell = "a b " * 1_250_000
        content = written(
            repeated(cell, 300), dictionary_pagesize_limit=1 << 30, store_schema=store_schema
        )
        assert len(content) < 10_000
        found, peak = read(content, max_text_bytes=1_000_000)
        assert found.rows_read == 300
        assert {each["reason"] for each in found.rejections} == {"text_too_large"}
        assert peak < 300 * MB


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_values_that_begin_as_the_one_before_are_unfolded_a_few_rows_at_a_time(
    version: str,
) -> None:
    content = written(
        ["a"] * 100 + ["b" * 5 * MB] * 60,
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
        row_group_size=100,
        data_page_version=version,
    )
    assert len(content) < 10_000
    found, peak = read(content, max_text_bytes=1_000)
    assert found.texts == ["a"] * 100
    assert found.reasons == [(row, "text_too_large") for row in range(100, 160)]
    assert peak < 300 * MB


def test_no_row_is_lost_or_doubled_where_fewer_rows_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"{row} {'x' * (row % 300)}" for row in range(3_000)]
    options: Sequence[dict[str, Any]] = (
        {"dictionary_pagesize_limit": 1 << 30},
        {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
    )
    for rows_bytes in (1, 10_000, 100_000, 1 << 20):
        monkeypatch.setattr(watched_pages, "ROWS_BYTES", rows_bytes)
        for each in options:
            content = written(texts, row_group_size=700, data_page_size=5_000, **each)
            found, _ = read(content)
            assert found.texts == texts
            assert found.broken is None


def test_rows_of_more_bytes_than_allowed_make_a_broken_file() -> None:
    content = written(repeated("x" * 1_000, 10_000), store_schema=False)
    found, _ = read(content)
    assert (found.rows_read, found.broken) == (10_000, None)
    found, _ = read(content, max_decompressed_bytes=5 * MB)
    assert 4_000 <= found.rows_read <= 8_000
    assert found.broken is not None
    assert "at most 5,000,000 bytes" in found.broken
    assert "corpus.max_decompressed_bytes" in found.broken


def test_a_damaged_size_of_a_page_is_not_believed() -> None:
    content = written(["some text"] * 100, use_dictionary=False, compression="none")
    column = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0)
    at = column.data_page_offset
    assert content[at : at + 3] == b"\x15\x00\x15"  # the kind, and then the sizes
    for damaged in (b"\xfe\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x0f"):  # 2 GB, and below 0
        found, peak = read(content[: at + 3] + damaged + content[at + 5 :])
        assert found.texts == []
        assert found.broken is not None
        assert peak < MB


def test_a_null_of_very_many_bytes_is_refused() -> None:
    found, peak = read(written(pa.array([], pa.binary(100 * MB))))  # a null has as many bytes
    assert found.broken is not None
    assert found.broken.startswith("expected values of at most 81,048,576 bytes, got ones of 100,")
    assert peak < MB


def test_python_holds_no_more_than_a_cell() -> None:
    content = written(["a" * 100 * MB, "ok"], use_dictionary=False)
    tracemalloc.start()
    try:
        found, _ = read(content)
        assert found.texts == ["ok"]
        assert found.reasons == [(0, "text_too_large")]
        assert tracemalloc.get_traced_memory()[1] < 10 * MB
    finally:
        tracemalloc.stop()


def test_a_footer_has_no_more_items_than_bytes() -> None:
    content = written(["a"], store_schema=False)
    size = int.from_bytes(content[-8:-4], "little")
    pages, footer = content[: -8 - size], content[-8 - size : -8]
    lists = [at for at in range(1, size) if footer[at - 1 : at + 1] in (b"\x19\x1c", b"\x19\x2c")]
    assert len(lists) >= 3  # the schema, the row groups and the columns
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for at in lists:
        claimed = footer[:at] + b"\xfc\xa0\xf7\x36" + footer[at + 1 :]  # 900,000 items
        trailer = len(claimed).to_bytes(4, "little") + b"PAR1"
        found, _ = read(pages + claimed + trailer)
        assert found.broken is not None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 20_000  # kB


def test_a_list_that_repeats_a_long_text_is_refused_before_it_is_unfolded() -> None:
    cell = repeated("x" * MB, 2_000)
    lists = pa.ListArray.from_arrays([0, 1, 2_000], cell)
    of_structs = pa.ListArray.from_arrays([0, 1, 2_000], pa.StructArray.from_arrays([cell], ["a"]))
    maps = pa.MapArray.from_arrays([0, 1, 2_000], cell, cell)
    for column in (lists, of_structs, maps):
        stream = io.BytesIO()
        table = pa.table({"text": ["first", "second"], "more": column})
        pq.write_table(table, stream, compression="zstd", dictionary_pagesize_limit=1 << 30)
        assert len(stream.getvalue()) < 3_000
        before = pa.total_allocated_bytes()
        tracemalloc.start()
        found = read_bytes(
            stream.getvalue(),
            format="parquet",
            columns=ColumnsConfig(label=None, keep=("more",)),
            max_text_bytes=MB,
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.texts == ["first"]
        assert found.broken is not None
        assert found.broken.startswith("expected rows of at most 134,217,728 bytes, got one with ")
        assert "bytes in column 'more'; the rest" in found.broken
        assert peak < 50 * MB
        assert pa.total_allocated_bytes() - before < 50 * MB
