"""The command `score` against scripts that do the same job: from JSON lines to Parquet.

    python -m tests.benchmarks.bench_score [--documents 25000] [--rounds 3] [--many 200000]

Every contender (`tests.benchmarks.score_contenders`) is a process of its own, and
what is measured is all of that process: imports, reading, tokenizing, scoring with
attention, writing, exit. They take turns, round after round; the table shows medians.
The second column leaves out the start (imports and the model), which a larger
corpus or a worker that stays alive pays once.

The reviews are the test split of IMDB where the environment variable CORPORA names the folder
of imdb/, or else made-up texts of the same lengths. The network is that of the configuration
`guide_attention_2d`, with a vocabulary of 10,000 and random weights: speed does not
depend on them.

Then `score` reads `--many` documents, to compare its peak memory with that of
the first run.
"""

import argparse
import collections
import gzip
import itertools
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

VOCABULARY = 10_000
OURS = "limelight"
TARGETS = {"keras": 4.0, "onnxruntime": 2.0}
MEMORY_RATIO, MEMORY_LIMIT = 1.25, 3e9


class Run(NamedTuple):
    """One process: wall and CPU seconds, peak bytes, seconds by step."""

    wall: float
    cpu: float
    peak: float
    steps: dict[str, float]


def read_reviews(documents: int) -> list[str]:
    """Texts of film reviews, or of made-up words where there is no corpus."""
    if root := os.environ.get("CORPORA"):
        with gzip.open(Path(root) / "imdb" / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in itertools.islice(lines, documents)]
    print("CORPORA does not name the folder of imdb/: made-up texts")
    random = np.random.default_rng(1)
    lengths = np.clip(random.lognormal(np.log(230), 0.65, documents), 5, 2000).astype(int)
    frequency = 1 / np.arange(1, 40_001)
    words = random.choice(40_000, lengths.sum(), p=frequency / frequency.sum())
    parts = np.split(words, np.cumsum(lengths)[:-1])
    return [" ".join(f"word{word}" for word in part) for part in parts]


def write_corpus(path: Path, texts: list[str], *, documents: int) -> None:
    """JSON lines with as many documents as asked for, the texts over again if need be."""
    with path.open("w", encoding="utf-8") as stream:
        for number, text in enumerate(itertools.islice(itertools.cycle(texts), documents)):
            stream.write(json.dumps({"id": f"d{number}", "text": text}, ensure_ascii=False) + "\n")


def write_model(folder: Path, texts: list[str]) -> None:
    """A model directory with random weights, and the same network as ONNX."""
    from model.bundle.file_names import MANIFEST
    from model.bundle.golden import write_golden
    from model.bundle.manifest import SCHEMA_VERSION, describe_files, model_fingerprint
    from model.bundle.writing import write_bundle
    from model.config import ModelConfig, TextConfig, TrainingConfig
    from model.scoring.engine_scorer import EngineScorer
    from model.scoring.golden import make_golden
    from model.scoring.keras_engine import KerasEngine
    from model.text.tokenizer import Tokenizer
    from model.text.vocabulary import Vocabulary
    from tests.benchmarks.bench_engine import CONFIG, MAX_TOKENS, make_network, onnx_model

    text = TextConfig(max_tokens=MAX_TOKENS, vocabulary_size=VOCABULARY)
    tokens = Tokenizer(text).tokenize(pa.array(texts[:5_000])).folded().flatten()
    frequent = [token for token, _ in collections.Counter(tokens.to_pylist()).most_common()]
    filled = [*frequent, *(f"filler{number}" for number in range(VOCABULARY))][:VOCABULARY]
    vocabulary = Vocabulary(filled, oov_buckets=1)
    network = make_network(ids=vocabulary.size)
    bundle = write_bundle(
        folder / "model",
        name="bench",
        config=ModelConfig(text=text, network=CONFIG, training=TrainingConfig()),
        network=network,
        vocabulary=vocabulary,
        labels=("neg", "pos"),
    )
    scorer = EngineScorer(bundle, KerasEngine(network))
    write_golden(folder / "model", make_golden(scorer, texts[:32]))
    files = describe_files(folder / "model")
    columns = {"id": "id", "text": "text", "label": None, "labels": None}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "model_version": "bench/1",
        "fingerprint": model_fingerprint(files),
        "vocabulary_ids": vocabulary.size,
        "files": files,
        "config": {"corpus": {"columns": columns}},
    }
    (folder / "model" / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "network.onnx").write_bytes(onnx_model(network).SerializeToString())


def run_process(command: list[str]) -> tuple[Run, str]:
    """Runs a process to its end; raises if it fails."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        output.seek(0)
        printed = output.read()
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}: {printed}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, {}), printed


def score(folder: Path, corpus: Path) -> Run:
    """The command, as a user runs it."""
    command = [sys.executable, "-m", "pipeline", "score", "--model", str(folder / "model")]
    command += ["--input", str(corpus), "--output", str(folder / "out"), "--date", "2026-11-20"]
    run, printed = run_process(command)
    [made] = [line.split()[-1] for line in printed.splitlines() if line.startswith("report")]
    manifest = json.loads(Path(made).with_name("manifest.json").read_text(encoding="utf-8"))
    return run._replace(steps={"start": run.wall - manifest["seconds"]})


def contend(name: str, folder: Path) -> Run:
    """A contender, or our own steps."""
    module = "tests.benchmarks.score_contenders"
    run, printed = run_process([sys.executable, "-m", module, name, str(folder)])
    return run._replace(steps=json.loads(printed.splitlines()[-1]))


def compete(folder: Path, rounds: int) -> dict[str, list[Run]]:
    """All contenders in turns."""
    runs: dict[str, list[Run]] = collections.defaultdict(list)
    for _ in range(rounds):
        runs[OURS].append(score(folder, folder / "corpus.jsonl"))
        for name in TARGETS:
            runs[name].append(contend(name, folder))
    return runs


def report(runs: dict[str, list[Run]], *, documents: int) -> Iterator[str]:
    """The table of speeds: medians over the rounds, and ratios to ours."""
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
    """What share of the time each step takes."""
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
        write_corpus(folder / "corpus.jsonl", texts, documents=parsed.documents)
        # In a process of its own: a child's peak memory begins with that of its parent.
        builder = multiprocessing.get_context("spawn").Process(
            target=write_model, args=(folder, texts)
        )
        builder.start()
        builder.join()
        score(folder, folder / "corpus.jsonl")  # compiles the kernels where no cache has them
        runs = compete(folder, parsed.rounds)
        print("\n".join(report(runs, documents=parsed.documents)))
        print("steps, one after the other")
        print(report_steps(OURS, [contend("steps", folder) for _ in range(parsed.rounds)]))
        for name in TARGETS:
            print(report_steps(name, runs[name]))
        if parsed.many:
            write_corpus(folder / "many.jsonl", texts, documents=parsed.many)
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
