import bz2
import gzip
import io
import tarfile
import zipfile
import zlib

import pyarrow as pa
import pyarrow.feather as feather
import pytest
import zstandard

from pipeline.corpora.stored.kinds import compression_in, named_compression
from tests.pipeline.corpora.formats.test_parquet import parquet_bytes
from tests.pipeline.corpora.formats.whole_file import read_bytes

LINES = b'{"text": "one"}\n{"text": "two"}\n'
COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstandard.compress}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("gs://bucket/a.jsonl.gz", "gz"),
        ("a.JSONL.GZ", "gz"),
        ("a.bz2", "bz2"),
        ("a.zst", "zst"),
        ("a.jsonl", None),
        ("folder.gz/a", None),
    ],
)
def test_the_suffix_names_a_compression(path: str, kind: str | None) -> None:
    assert named_compression(path) == kind


@pytest.mark.parametrize("kind", [None, "gz", "bz2", "zst"])
@pytest.mark.parametrize("name", ["a", "a.jsonl", "a.jsonl.gz", "a.jsonl.bz2", "a.jsonl.zst"])
@pytest.mark.parametrize("most", [1, 1_000])
def test_the_content_tells_the_compression_whatever_the_name(
    kind: str | None, name: str, most: int
) -> None:
    stored = LINES if kind is None else COMPRESS[kind](LINES)
    assert compression_in(stored) == kind
    read = read_bytes(stored, name=name, most=most)
    assert (read.texts, read.broken) == (["one", "two"], None)


@pytest.mark.parametrize("kind", ["gz", "bz2", "zst"])
def test_nothing_and_a_few_bytes_are_no_compressed_file(kind: str) -> None:
    stored = COMPRESS[kind](LINES)
    for size in range(len(stored)):
        read = read_bytes(stored[:size], name=f"a.jsonl.{kind}")
        assert read.broken is not None, size
        assert not read.rejections
    assert read_bytes(b"", name="a.jsonl").broken is None


def test_damaged_first_bytes_are_not_taken_for_text() -> None:
    for kind, compress in COMPRESS.items():
        stored = bytearray(compress(LINES * 100))
        stored[0] ^= 0x10
        assert "damaged data" in str(read_bytes(bytes(stored), name=f"a.jsonl.{kind}").broken)


def zipped() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.jsonl", LINES)
    return sink.getvalue()


def tarred() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.jsonl"), io.BytesIO())
    return sink.getvalue()


def feather_bytes() -> bytes:
    sink = pa.BufferOutputStream()
    feather.write_feather(pa.table({"text": ["one"]}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "text", "trec", "semeval", "tfrecord"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (zipped(), "a ZIP archive"),
        (feather_bytes(), "an Arrow file"),
        (parquet_bytes(pa.table({"text": ["one"]})), "a Parquet file. Set format: parquet."),
    ],
    ids=["zip", "feather", "parquet"],
)
def test_a_file_of_another_kind_is_named(content: bytes, found: str, kind: str) -> None:
    read = read_bytes(content, format=kind)
    assert read.rows_read == 0
    assert found in str(read.broken)


def test_an_archive_in_place_of_parquet_is_named() -> None:
    assert "a ZIP archive" in str(read_bytes(zipped(), format="parquet").broken)
    assert "a tar archive" in str(read_bytes(tarred(), format="parquet").broken)


@pytest.mark.parametrize("kind", ["gz", "bz2", "zst"])
def test_parquet_that_was_compressed_is_named(kind: str) -> None:
    stored = COMPRESS[kind](parquet_bytes(pa.table({"text": ["one"]})))
    assert f"a file compressed as {kind}" in str(read_bytes(stored, format="parquet").broken)
    assert "a Parquet file" in str(read_bytes(stored, format="jsonl").broken)


@pytest.mark.parametrize("kind", ["tfrecord", "jsonl", "csv", "text"])
def test_data_that_are_compressed_in_another_way_or_twice_are_named(kind: str) -> None:
    content = 100 * b'{"text": "a"}\n'
    read = read_bytes(zlib.compress(content), format=kind)
    assert "got data compressed with zlib. Write it with gzip or zstd" in str(read.broken)
    read = read_bytes(gzip.compress(gzip.compress(content)), format=kind)
    assert "got gz data within gz data. Decompress the file once" in str(read.broken)
    assert (read.documents, read.rejections) == ([], [])


def test_text_that_begins_like_zlib_is_text() -> None:
    assert read_bytes(b"x^2 + y^2\n", format="text").texts == ["x^2 + y^2"]
