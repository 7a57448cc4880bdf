"""How the speed of `score` depends on worker processes and corpus size; large corpora calculated.

    python -m tests.benchmarks.bench_scaling [--documents 10000] [--sizes 1 4 16] [--rounds 1]

One worker process may use one core, two may use two. The command scores corpora of `--documents`
times each of `--sizes`, in turns; reviews and network are those of `bench_score`. The speed is that
of the pipeline, from the first read to the last staged file. The start of a worker is shown in a
column of its own, because a larger corpus pays it only once.

The last table is calculated: documents -> workers -> hours -> core hours. It assumes the speed of a
core at the largest size, with the number of processes for which a core was slowest. Multiply by
your price of a core hour. `--readme` also writes both tables to README.
"""

import argparse
import collections
import math
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.processes import call_in_process, run_score
from tests.benchmarks.readme import Row, replace_between, table, write_readme
from tests.benchmarks.review_models import write_review_model
from tests.benchmarks.reviews import read_reviews, write_reviews

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
    flags = ["--", f"--direct_num_workers={workers}"]
    if workers > 1:
        flags += ["--direct_running_mode=multi_processing"]
    every_core = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every_core)[:workers])  # children inherit it
    try:
        usage, seconds = run_score(
            folder / "model", str(corpus / "*.jsonl"), folder / "out", *flags
        )
    finally:
        os.sched_setaffinity(0, every_core)
    return Measured(documents, workers, seconds, usage.wall)


def report(runs: list[Measured]) -> Iterator[Row]:
    """The measured speeds: medians over the rounds."""
    yield (
        "documents",
        "worker processes",
        "documents/s",
        "per core",
        "in the pipeline",
        "outside it",
    )
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
    yield ("documents", f"workers of {CORES_A_WORKER} cores", "hours", "cost")
    for documents, workers in LARGE:
        hours = documents / (rate * workers * CORES_A_WORKER) / 3600
        core_hours = math.ceil(hours * workers * CORES_A_WORKER)
        yield (f"{documents:,}", f"{workers:,}", f"{hours:.2f}", f"{core_hours:,} core hours")


def describe(runs: list[Measured]) -> list[str]:
    """Both tables, and the speed that the second one assumes, as Markdown."""
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
        call_in_process(write_review_model, folder / "model", texts)
        for size in parsed.sizes:
            corpus = folder / str(size)
            corpus.mkdir()
            for number in range(2 * size):  # files, so that there is work for every process
                part = texts[number % 2 :: 2]
                write_reviews(corpus / f"{number}.jsonl", part, documents=len(part))
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
        write_readme(lambda page: replace_between(page, BEGIN, END, lines))


if __name__ == "__main__":
    main()
