"""Files of a few kilobytes that unfold to gigabytes, scored beside a good one.

Each is read or named as broken, in little more memory than the good file alone takes.
"""

import bz2
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.end_to_end.commands import PROJECT
from tests.pipeline.tiny_model import write_model

pytestmark = pytest.mark.long

MB = 1_000_000
ROW = b'{"text": "good number 1 of many"}\n'
ALLOWED = (
    *("--set", "corpus.max_broken_files=9"),
    *("--set", "corpus.max_rejected_fraction=1.0"),
)
LIMIT = 150 * MB  # of what a file unfolds to
PEAK = 500 * MB  # over that of the good file alone


def repeated(compress: Callable[[bytes], bytes], content: bytes, times: int) -> bytes:
    """Members one after another: much less work than one of all the content."""
    return compress(content) * times


def long_window(content: bytes) -> bytes:
    settings = zstandard.ZstdCompressionParameters.from_level(
        1, window_log=30, write_content_size=False
    )
    compressor = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    return compressor.compress(content) + compressor.flush()


def write_bombs(folder: Path) -> dict[str, bool]:
    """Writes the files; returns by name whether a file is broken."""
    zeros, feeds = bytes(10 * MB), b"\n" * 10 * MB
    letters = b"a" * 10 * MB
    zst = zstandard.ZstdCompressor().compress
    contents = {
        "feeds.jsonl.gz": (gzip.compress(ROW) + repeated(gzip.compress, feeds, 20), True),
        "feeds.jsonl.bz2": (bz2.compress(ROW) + repeated(bz2.compress, feeds, 20), True),
        "feeds.jsonl.zst": (zst(ROW) + repeated(zst, feeds, 20), True),
        "zeros.jsonl.gz": (gzip.compress(ROW) + repeated(gzip.compress, zeros, 20), True),
        "letters.jsonl.bz2": (bz2.compress(ROW) + repeated(bz2.compress, letters, 10), False),
        "letters.csv.zst": (zst(b"text\ngood\n") + repeated(zst, letters, 10), False),
        "window.jsonl.zst": (zst(ROW) + long_window(bytes(140 * MB)), True),
        "few.jsonl.gz": (gzip.compress(ROW + b"\n" * 90 * MB + ROW), False),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    pages = {
        "cell.parquet": (pa.array(["good", "a" * 300 * MB]), {"use_dictionary": False}, True),
        "dictionary.parquet": (
            pa.DictionaryArray.from_arrays(np.zeros(7, np.int32), pa.array(["a b " * 5 * MB])),
            {"dictionary_pagesize_limit": 1 << 30, "store_schema": False},
            False,
        ),
    }
    for name, (array, options, _) in pages.items():
        table = pa.table({"text": array})
        pq.write_table(table, folder / name, compression="zstd", row_group_size=1 << 20, **options)
    assert all(path.stat().st_size < 1.5 * MB for path in folder.iterdir())
    return {name: broken for name, (*_, broken) in (contents | pages).items()}


def score(*arguments: str) -> tuple[int, str, int]:
    """Scores as a user does; returns the exit code, what was said, and the peak in bytes."""
    command = [sys.executable, "-m", "pipeline", "score", "--date", "2026-11-20", *arguments]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, cwd=PROJECT, stdout=said, stderr=said) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return process.returncode, said.read().decode(), usage.ru_maxrss * 1024


def test_bombs_are_read_or_named_within_a_gigabyte(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    good = tmp_path / "good.jsonl"
    good.write_bytes(ROW * 100)
    folder = tmp_path / "bombs"
    folder.mkdir()
    broken = write_bombs(folder)
    always = [
        *("--model", model, "--input", str(good)),
        *("--set", "corpus.columns.label=null", "--set", f"corpus.max_decompressed_bytes={LIMIT}"),
    ]
    code, said, usual = score(*always, "--output", str(tmp_path / "usual"))
    assert code == 0, said
    inputs = [word for name in broken for word in ("--input", str(folder / name))]
    code, said, peak = score(*always, *inputs, *ALLOWED, "--output", str(tmp_path / "out"))
    assert code == 0, said
    assert "Traceback" not in said
    assert peak < usual + PEAK
    [manifest] = (tmp_path / "out/runs").glob("*/manifest.json")
    files = {
        Path(account["file"]).name: account
        for account in json.loads(manifest.read_text(encoding="utf-8"))["inputs"]
    }
    assert {name: "broken" in files[name] for name in broken} == broken
    used = {name: account["rows_used"] for name, account in files.items()}
    assert used.pop("good.jsonl") == 100
    assert used == dict.fromkeys(broken, 0) | {
        "feeds.jsonl.gz": 1, "feeds.jsonl.bz2": 1, "feeds.jsonl.zst": 1, "zeros.jsonl.gz": 1,
        "letters.jsonl.bz2": 1, "letters.csv.zst": 1, "window.jsonl.zst": 1, "few.jsonl.gz": 2,
    }  # fmt: skip

    code, said, peak = score(*always, *inputs[-4:], "--output", str(tmp_path / "refused"))
    assert code == 1
    assert "Traceback" not in said
    assert re.search(r"error: .*cell\.parquet", said), said
    assert peak < usual + PEAK
