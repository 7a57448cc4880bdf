"""The command `score` beside scripts that do the same job: from JSON lines to Parquet.

    python -m tests.benchmarks.bench_score [--documents 25000] [--rounds 3] [--many 200000]

Every contender (`tests.benchmarks.score_contenders`) is a process of its own. The
whole process is measured: imports, reading, tokenizing, scoring with attention,
writing, exit. The contenders take turns, and the table shows medians over the rounds.
The second column leaves out the start (imports and the model), because a larger
corpus pays it only once.

The reviews are the test split of IMDB where the environment variable CORPORA names the folder
of imdb/, or else made-up texts of the same lengths. The network is that of the configuration
`guide_attention_2d`, with a vocabulary of 10,000 and random weights. Speed does not
depend on the weights.

Then `score` reads `--many` documents, to compare its peak memory with that of
the first run.
"""

import argparse
import collections
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.processes import call_in_process, run_process, run_score
from tests.benchmarks.reviews import read_reviews, write_reviews

OURS = "limelight"
TARGETS = {"keras": 4.0, "onnxruntime": 2.0}
MEMORY_RATIO, MEMORY_LIMIT = 1.25, 3e9


class Run(NamedTuple):
    """One process: wall and CPU seconds, peak bytes, seconds by step."""

    wall: float
    cpu: float
    peak: float
    steps: dict[str, float]


def write_models(folder: Path, texts: list[str]) -> None:
    """Writes a model directory, and the same network as ONNX."""
    from model.bundle.loading import load_bundle
    from tests.benchmarks.onnx_engine import onnx_model
    from tests.benchmarks.review_models import write_review_model

    write_review_model(folder / "model", texts)
    network = load_bundle(folder / "model").build_network()
    (folder / "network.onnx").write_bytes(onnx_model(network))


def score(folder: Path, corpus: Path) -> Run:
    """The command, as a user runs it."""
    usage, seconds = run_score(folder / "model", str(corpus), folder / "out")
    return Run(*usage, steps={"start": usage.wall - seconds})


def contend(name: str, folder: Path) -> Run:
    """Runs a contender, or Limelight's own steps one after the other."""
    module = "tests.benchmarks.score_contenders"
    usage, printed = run_process([sys.executable, "-m", module, name, str(folder)])
    return Run(*usage, steps=json.loads(printed.splitlines()[-1]))


def compete(folder: Path, rounds: int) -> dict[str, list[Run]]:
    """Runs all contenders in turns."""
    runs: dict[str, list[Run]] = collections.defaultdict(list)
    for _ in range(rounds):
        runs[OURS].append(score(folder, folder / "corpus.jsonl"))
        for name in TARGETS:
            runs[name].append(contend(name, folder))
    return runs


def report(runs: dict[str, list[Run]], *, documents: int) -> Iterator[str]:
    """The table of speeds: medians over the rounds, and how many times faster Limelight is."""
    yield f"{documents:,} documents, {len(runs[OURS])} rounds, medians; documents a second"
    heads = ("whole process", "without start", "of CPU time", "peak memory")
    yield f"  {'':12}" + "".join(f"{head:>16}" for head in heads)
    rates: dict[str, list[float]] = {}
    for name, mine in runs.items():
        times = (
            [run.wall for run in mine],
            [run.wall - run.steps["start"] for run in mine],
            [run.cpu for run in mine],
        )
        rates[name] = [documents / statistics.median(each) for each in times]
        cells = "".join(f"{rate:16,.0f}" for rate in rates[name])
        peak = statistics.median(run.peak for run in mine) / 1e6
        yield f"  {name:12}{cells}{peak:13,.0f} MB"
    for name, target in TARGETS.items():
        ratios = [ours / theirs for ours, theirs in zip(rates[OURS], rates[name], strict=True)]
        cells = "".join(f"{ratio:15.2f}x" for ratio in ratios)
        yield f"  {'/ ' + name:<14}"[:14] + f"{cells}   target {target:g}x"


def report_steps(name: str, runs: list[Run]) -> str:
    """The time of each step, and its share of the whole."""
    steps = {
        each: statistics.median(run.steps.get(each, 0.0) for run in runs)
        for each in runs[0].steps
        if each != "total"
    }
    whole = sum(steps.values())
    shares = ", ".join(f"{each} {took:.2f} s ({took / whole:.0%})" for each, took in steps.items())
    return f"  {name:12}{shares}"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=25_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=200_000, help="0 leaves out the memory test")
    parsed = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(prefix="limelight-bench-") as scratch:
        folder = Path(scratch)
        texts = read_reviews(parsed.documents)
        write_reviews(folder / "corpus.jsonl", texts, documents=parsed.documents)
        call_in_process(write_models, folder, texts)
        score(folder, folder / "corpus.jsonl")  # compiles the kernels where no cache has them
        runs = compete(folder, parsed.rounds)
        print("\n".join(report(runs, documents=parsed.documents)))
        print("steps, one after the other")
        print(report_steps(OURS, [contend("steps", folder) for _ in range(parsed.rounds)]))
        for name in TARGETS:
            print(report_steps(name, runs[name]))
        if parsed.many:
            write_reviews(folder / "many.jsonl", texts, documents=parsed.many)
            many = score(folder, folder / "many.jsonl")
            few = statistics.median(run.peak for run in runs[OURS])
            print(
                f"memory: {few / 1e6:,.0f} MB at {parsed.documents:,} documents, "
                f"{many.peak / 1e6:,.0f} MB at {parsed.many:,}: {many.peak / few:.2f} times "
                f"(target {MEMORY_RATIO} times, {MEMORY_LIMIT / 1e6:,.0f} MB); "
                f"{parsed.many / many.wall:,.0f} documents a second"
            )


if __name__ == "__main__":
    main()
