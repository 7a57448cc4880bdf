import io
import itertools
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.stored.page_header import PageHeader, read_page_header

TEXTS = [f"text {number % 700} {'x' * (number % 900)}" for number in range(9_000)]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"use_dictionary": False},
    {"data_page_version": "2.0", "compression": "zstd"},
    {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
    {"write_page_checksum": True, "compression": "none"},
]


def written(**options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": TEXTS}), stream, data_page_size=50_000, **options)
    return stream.getvalue()


def headers_of(content: bytes) -> list[PageHeader]:
    """The headers in the only column of a file, found one after another."""
    column = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0)
    at = column.dictionary_page_offset or column.data_page_offset
    end = at + column.total_compressed_size
    headers = []
    while at < end:
        header = read_page_header(content[at:])
        assert header is not None
        for size in range(header.size):
            assert read_page_header(content[at : at + size]) is None
        at += header.size + header.stored
        headers.append(header)
    assert at == end
    sizes = sum(header.size + header.unfolded for header in headers)
    assert sizes == column.total_uncompressed_size
    return headers


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_headers_lead_from_page_to_page(options: dict[str, Any]) -> None:
    headers = headers_of(written(**options))
    assert len(headers) > 3
    assert sum(each.values for each in headers if not each.is_dictionary) == len(TEXTS)
    has_dictionary = options.get("use_dictionary", True)
    assert [each.is_dictionary for each in headers].count(True) == has_dictionary
    delta = "column_encoding" in options
    assert [each.repeats_values for each in headers] == [
        delta or each.is_dictionary for each in headers
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",  # no fields
        b"\x15\x00\x15\x02\x15\x02\x00",  # a page of data without the number of its values
        b"\x15\x00\x15\x01\x15\x02\x2c\x15\x02\x00\x00",  # a size of -1
        b"\x15\x00\x1c\x00\x15\x02\x2c\x15\x02\x00\x00",  # a struct in place of a size
        b"\x15\x00\x15\x02\x15\x02\x25\x02\x00",  # a number in place of a struct
        b"\x19\x00",  # a list
        b"\x15" + b"\xff" * 11,  # a number that does not end
        b"\x1c" * 100,  # structs in structs
        b"\x11" * 2_000,  # fields without end
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="a header of a page"):
        read_page_header(data)


def test_numbers_are_cut_as_thrift_cuts_them() -> None:
    whole = b"\x15\x00\x15%s\x15\x02\x2c\x15\x02\x00\x00"
    for size, bits in (
        (b"\x02", 1),
        (b"\x82\x80\x80\x80\x10", 1),
        (b"\x82\x80\x80\x80\x80\x01", 1),
    ):
        header = read_page_header(whole % size)
        assert header is not None
        assert header.unfolded == bits


@given(st.binary(max_size=60), st.integers(0, 4))
def test_any_bytes_are_a_header_or_none(data: bytes, flips: int) -> None:
    valid = bytearray(b"\x15\x00\x15\x10\x15\x02\x2c\x15\x02\x15\x00\x15\x06\x15\x06\x00\x00")
    for at, byte in itertools.islice(enumerate(data), flips):
        valid[(at * 7 + byte) % len(valid)] ^= byte
    for content in (data, bytes(valid)):
        try:
            header = read_page_header(content)
        except ValueError:
            continue
        assert header is None or header.size <= len(content)
