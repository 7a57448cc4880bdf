"""Good rows beside a file that is read in an unusual way or not at all: never lost in silence."""

import bz2
import dataclasses
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipeline.runners.execution import RunError
from tests.json_lines import write_json_lines
from tests.pipeline.stages.nights import DATE, Nights
from tests.pipeline.tiny_model import write_model

GOOD, OTHER = 30, 300
ROWS = [{"id": f"x{number}", "text": f"so good n{number}"} for number in range(OTHER)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def zstd(content: bytes, window_log: int) -> bytes:
    settings = zstandard.ZstdCompressionParameters(window_log=window_log)
    compressor = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    return compressor.compress(content) + compressor.flush()


def parquet_cut() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue().to_pybytes()[:-100]


READ: dict[str, tuple[str, bytes]] = {
    "gzip without the name": ("b.jsonl", gzip.compress(LINES)),
    "bzip2 without the name": ("b.jsonl", bz2.compress(LINES)),
    "plain by the name of gzip": ("b.jsonl.gz", LINES),
    "zstd with a long window": ("b.jsonl.zst", zstd(LINES, 31)),
    "carriage returns": ("b.jsonl", LINES.replace(b"\n", b"\r")),
    "an array": ("b.jsonl", json.dumps(ROWS).encode()),
    "printed": ("b.jsonl", json.dumps(ROWS, indent=1).encode()),
    "UTF-8 with a mark": ("b.jsonl", b"\xef\xbb\xbf" + LINES),
}
BROKEN: dict[str, tuple[str, bytes, str]] = {
    "a cut gzip": ("b.jsonl.gz", gzip.compress(LINES)[:-9], "expected more gz data"),
    "a wrong checksum": ("b.jsonl.gz", gzip.compress(LINES)[:-8] + bytes(8), "its checksum"),
    "an empty gzip": ("b.jsonl.gz", b"", "got an empty file"),
    "garbage": ("b.jsonl.gz", gzip.compress(LINES) + b"\n#", "damaged data"),
    "an object around": ("b.jsonl", json.dumps({"data": ROWS}).encode(), r"jq -c '\.\[\"data\"\]"),
    "UTF-16": ("b.jsonl", LINES.decode().encode("utf-16"), "Add `encoding: utf-16`"),
    "Parquet": ("b.jsonl", parquet_cut(), "Set format: parquet"),
    "a cut line": ("b.jsonl", LINES[:-9], "end of the file within a row"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def score(tmp_path: Path, model: str) -> Callable[..., dict[str, Any]]:
    nights = Nights(folder=tmp_path, model=model)
    folder = tmp_path / "corpus" / DATE
    folder.mkdir(parents=True)
    write_json_lines(folder / "a.jsonl", [{"id": f"g{n}", "text": "good"} for n in range(GOOD)])

    def run(name: str, content: bytes, **corpus: Any) -> dict[str, Any]:
        (folder / name).write_bytes(content)
        config = nights.config(**corpus)
        [source] = config.corpus.inputs
        source = dataclasses.replace(source, path=str(folder / "*.jsonl*"))
        config = dataclasses.replace(
            config, corpus=dataclasses.replace(config.corpus, inputs=(source,))
        )
        return dict(nights.score(config=config).manifest["rows"])

    return run


@pytest.mark.parametrize("how", READ)
def test_a_file_that_is_unusual_is_read(how: str, score: Callable[..., dict[str, Any]]) -> None:
    assert score(*READ[how]) == {"read": GOOD + OTHER, "used": GOOD + OTHER, "rejected": {}}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_cannot_be_read_fails_the_run(
    how: str, score: Callable[..., dict[str, Any]]
) -> None:
    name, content, why = BROKEN[how]
    with pytest.raises(RunError, match=rf"{name}: .*{why}"):
        score(name, content)


def test_all_rows_before_a_wrong_checksum_are_used_where_broken_files_are_allowed(
    score: Callable[..., dict[str, Any]],
) -> None:
    name, content, _ = BROKEN["a wrong checksum"]
    rows = score(name, content, max_broken_files=1)
    assert (rows["used"], rows["rejected"]) == (GOOD + OTHER, {})
    assert len(rows["broken_files"]) == 1
