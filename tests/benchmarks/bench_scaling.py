"""How `score` scales: worker processes, corpus sizes, and what follows for large corpora.

    python -m tests.benchmarks.bench_scaling [--documents 10000] [--sizes 1 4 16] [--rounds 1]

One worker process has one core to itself, two have two. Corpora of `--documents` times each of
`--sizes` are scored by the command, in turns; reviews and network are those of `bench_score`.
The speed is of the pipeline, from the first read to the last staged file: a worker's start is
shown by itself, because a larger corpus pays it once.

The last table is arithmetic on the speed of a core at the largest size, with as many at work as
made it slowest: documents -> workers -> hours -> core hours. What a core hour costs is the
reader's to fill in. `--readme` also writes both tables to README.
"""

import argparse
import collections
import json
import math
import multiprocessing
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.bench_score import read_reviews, run_process, write_corpus, write_model
from tests.benchmarks.readme import README, Row, replace_between, table

BEGIN = "<!-- scaling: python -m tests.benchmarks.bench_scaling --readme -->"
END = "<!-- end of scaling -->"

CORES_A_WORKER = 4
LARGE = ((1_000_000, 1), (100_000_000, 50), (10_000_000_000, 1_000))


class Measured(NamedTuple):
    """One run: documents, worker processes, seconds of the pipeline and of the process."""

    documents: int
    workers: int
    seconds: float
    wall: float

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds


def score(folder: Path, corpus: Path, *, documents: int, workers: int) -> Measured:
    """The command, with as many cores as worker processes."""
    command = [sys.executable, "-m", "pipeline", "score", "--model", str(folder / "model")]
    command += ["--input", str(corpus / "*.jsonl"), "--output", str(folder / "out")]
    command += ["--date", "2026-11-20", "--", f"--direct_num_workers={workers}"]
    if workers > 1:
        command += ["--direct_running_mode=multi_processing"]
    every_core = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every_core)[:workers])  # children inherit it
    try:
        run, printed = run_process(command)
    finally:
        os.sched_setaffinity(0, every_core)
    [made] = [line.split()[-1] for line in printed.splitlines() if line.startswith("report")]
    manifest = json.loads(Path(made).with_name("manifest.json").read_text(encoding="utf-8"))
    return Measured(documents, workers, manifest["seconds"], run.wall)


def report(runs: list[Measured]) -> Iterator[Row]:
    """The measured speeds: medians over the rounds."""
    yield ("documents", "worker processes", "documents/s", "a core", "pipeline", "beside it")
    for documents, workers in sorted({(run.documents, run.workers) for run in runs}):
        same = [run for run in runs if (run.documents, run.workers) == (documents, workers)]
        rate = statistics.median(run.rate for run in same)
        seconds = statistics.median(run.seconds for run in same)
        start = statistics.median(run.wall - run.seconds for run in same)
        yield (
            f"{documents:,}",
            f"{workers}",
            f"{rate:,.0f}",
            f"{rate / workers:,.0f}",
            f"{seconds:.1f} s",
            f"{start:.1f} s",
        )


def extrapolate(rate: float) -> Iterator[Row]:
    """Documents -> workers -> hours -> core hours, at a rate of documents a second a core."""
    yield ("documents", f"workers of {CORES_A_WORKER} cores", "hours", "cost basis")
    for documents, workers in LARGE:
        hours = documents / (rate * workers * CORES_A_WORKER) / 3600
        core_hours = math.ceil(hours * workers * CORES_A_WORKER)
        yield (f"{documents:,}", f"{workers:,}", f"{hours:.2f}", f"{core_hours:,} core hours")


def describe(runs: list[Measured]) -> list[str]:
    """Both tables, and what they say, as Markdown."""
    largest = max(run.documents for run in runs)
    by_workers = collections.defaultdict(list)
    for run in runs:
        if run.documents == largest:
            by_workers[run.workers].append(run.rate / run.workers)
    rate = min(map(statistics.median, by_workers.values()))
    return [
        *table(report(runs)),
        "",
        f"At {rate:,.0f} documents a second a core:",
        "",
        *table(extrapolate(rate)),
    ]


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--readme", action="store_true", help="write the tables to README too")
    parsed = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    workers = [count for count in (1, 2) if count <= len(os.sched_getaffinity(0))]
    with tempfile.TemporaryDirectory(prefix="limelight-bench-") as scratch:
        folder = Path(scratch)
        texts = read_reviews(parsed.documents)
        builder = multiprocessing.get_context("spawn").Process(
            target=write_model, args=(folder, texts)
        )
        builder.start()
        builder.join()
        for size in parsed.sizes:
            corpus = folder / str(size)
            corpus.mkdir()
            for number in range(2 * size):  # files, so that there is work for every process
                part = texts[number % 2 :: 2]
                write_corpus(corpus / f"{number}.jsonl", part, documents=len(part))
        runs = []
        for _ in range(parsed.rounds):
            for size in parsed.sizes:
                for count in workers:
                    documents = size * len(texts)
                    runs.append(
                        score(folder, folder / str(size), documents=documents, workers=count)
                    )
    lines = describe(runs)
    print("\n".join(lines))
    if parsed.readme:
        page = README.read_text(encoding="utf-8")
        README.write_text(replace_between(page, BEGIN, END, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
