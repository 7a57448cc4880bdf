"""What rejected rows and many small files cost, beside rows that are scored and one file.

    python -m tests.benchmarks.bench_reading [--rows 300000] [--files 20000]

Each run is the command `score` in a process of its own. The first two read as many short rows: the
model scores all of them, or all are rejected, as their text has another name. Their peak memory
is compared. The other two read the same rows, each in a file of its own or all in one file. Their
CPU time is compared, the start included; it does not depend on what else the machine does.

The network is that of the configuration `guide_attention_2d` with random weights. Exits 1 if a
ratio is above its limit.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import orjson

from tests.benchmarks.processes import Usage, call_in_process, run_score
from tests.benchmarks.reviews import make_texts

ROWS, FILES, ROUNDS = 300_000, 20_000, 3
MEMORY_LIMIT = 1.25  # times the peak of scoring the rows
FILES_LIMIT = 5.0  # times the CPU time of one file
EVERY_ROW = ("--set", "corpus.max_rejected_fraction=1")


def write_corpora(folder: Path, rows: int, files: int) -> None:
    """Writes the model and the four corpora."""
    from tests.benchmarks.review_models import write_review_model

    words = [f"word{word}" for word in range(5_000)]
    texts = make_texts(words, max(rows, files), np.random.default_rng(1), median=8)
    write_review_model(folder / "model", texts)
    for name, column in (("scored", "text"), ("rejected", "txt")):
        _write(folder / f"{name}.jsonl", texts[:rows], column=column)
    _write(folder / "one.jsonl", texts[:files], column="text")
    (folder / "many").mkdir()
    lines = (folder / "one.jsonl").read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        (folder / "many" / f"{number:06d}.jsonl").write_bytes(line)


def _write(path: Path, texts: list[str], *, column: str) -> None:
    with path.open("wb") as sink:
        for number, text in enumerate(texts):
            sink.write(orjson.dumps({"id": f"d{number}", column: text}) + b"\n")


def measure(folder: Path, corpus: str, rounds: int) -> Usage:
    """The medians of several runs."""
    runs = [
        run_score(folder / "model", str(folder / corpus), folder / "out", *EVERY_ROW)[0]
        for _ in range(rounds)
    ]
    return Usage(*(statistics.median(values) for values in zip(*runs, strict=True)))


def main() -> int:
    """Prints the two comparisons; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parsed = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(prefix="limelight-bench-") as scratch:
        folder = Path(scratch)
        call_in_process(write_corpora, folder, parsed.rows, parsed.files)
        measure(folder, "one.jsonl", 1)  # compiles the kernels where no cache has them
        names = ("scored.jsonl", "rejected.jsonl", "one.jsonl", "many/*.jsonl")
        scored, rejected, one, many = (measure(folder, name, parsed.rounds) for name in names)
    memory, time = rejected.peak / scored.peak, many.cpu / one.cpu
    print(
        f"{parsed.rows:,} short rows: peak {scored.peak / 1e6:,.0f} MB scored, "
        f"{rejected.peak / 1e6:,.0f} MB all rejected: {memory:.2f} times (limit {MEMORY_LIMIT})"
    )
    print(
        f"{parsed.files:,} rows: {one.cpu:.1f} s of CPU in one file ({one.wall:.1f} s), "
        f"{many.cpu:.1f} s in a file each ({many.wall:.1f} s): {time:.1f} times "
        f"(limit {FILES_LIMIT:g}); {parsed.files / many.wall:,.0f} documents a second"
    )
    return 0 if memory <= MEMORY_LIMIT and time <= FILES_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
