"""The folded engine beside ONNX Runtime, Keras, and the fastest that its products could be.

    python -m tests.benchmarks.bench_engine

Every contender runs in a process of its own, with one core and then with two. In
each round all contenders score the same documents, one after the other. The table
shows the median over the rounds, in documents a second of wall time and of CPU
time. Where other processes share the machine, compare the CPU time.

- `folded`: `model.folded.engine.FoldedEngine`.
- `floor`: nothing but `np.dot(h[:n], U, out=z[:n])` for every step and
  direction over sorted batches, in NumPy's own BLAS. No engine that uses this
  BLAS can be faster.
- `onnxruntime`: an LSTM operator over float32, in length-sorted batches, one
  batch on each core. Skipped where `onnx` or `onnxruntime` is not installed.
- `keras`: `model.layers.keras_engine.KerasEngine`, length-sorted batches.

The network is that of the configuration `guide_attention_2d` with random weights.
Before anything is timed, probabilities and attention of all contenders must agree.
"""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.onnx_engine import onnx_model, onnxruntime_scorer, sorted_batches
from tests.benchmarks.processes import start_contender
from tests.benchmarks.review_models import MAX_TOKENS, NETWORK, SPREAD, VOCABULARY
from tests.benchmarks.reviews import draw_lengths, draw_words

ROUNDS = 7

Run = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray] | None]


class Documents(NamedTuple):
    ids: np.ndarray
    row_offsets: np.ndarray


def make_documents(lengths: np.ndarray) -> Documents:
    ids = draw_words(VOCABULARY, int(lengths.sum()), np.random.default_rng(0))
    return Documents(ids.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]))


def make_corpora() -> dict[str, Documents]:
    random = np.random.default_rng(1)
    # Film reviews: the median is 173 words, and 4 in 10 are cut at 200.
    reviews = draw_lengths(1024, random, median=173, longest=MAX_TOKENS)
    return {
        "200 tokens": make_documents(np.full(768, MAX_TOKENS)),
        "reviews": make_documents(reviews),
        "headlines": make_documents(random.integers(4, 25, 8192)),
    }


def make_network() -> Any:
    from model.layers.classifier import build_classifier

    network = build_classifier(NETWORK, ids=VOCABULARY, max_tokens=MAX_TOKENS, labels=2)
    random = np.random.default_rng(2)
    network.set_weights([random.normal(0, SPREAD, w.shape) for w in network.get_weights()])
    return network


def folded_contender(cores: int) -> Run:
    from model.folded.engine import FoldedEngine
    from model.layers.weights import copy_weights

    return FoldedEngine(copy_weights(make_network()), NETWORK, threads=cores).run


def keras_contender(cores: int) -> Run:
    from model.layers.keras_engine import KerasEngine

    return KerasEngine(make_network()).run


def floor_contender(cores: int) -> Run:
    units = NETWORK.lstm.units
    kernel = np.random.default_rng(0).normal(size=(units, 4 * units)).astype(np.float32)

    def multiply(lengths: np.ndarray) -> None:
        states = np.ones((len(lengths), units), np.float32)
        gates = np.empty((len(lengths), 4 * units), np.float32)
        for _direction in range(2):
            for step in range(lengths[0]):
                running = np.searchsorted(-lengths, -step)
                np.dot(states[:running], kernel, out=gates[:running])

    def run(ids: np.ndarray, row_offsets: np.ndarray) -> None:
        lengths = np.diff(row_offsets)
        batches = [lengths[rows] for rows in sorted_batches(row_offsets)]
        with ThreadPoolExecutor(cores) as executor:
            list(executor.map(multiply, batches))

    return run


def onnxruntime_contender(cores: int) -> Run:
    return onnxruntime_scorer(onnx_model(make_network()), cores=cores)


CONTENDERS: dict[str, Callable[[int], Run]] = {
    "folded": folded_contender,
    "floor": floor_contender,
    "onnxruntime": onnxruntime_contender,
    "keras": keras_contender,
}


class Round(NamedTuple):
    """What one contender took for one corpus, in seconds."""

    wall: float
    cpu: float


def serve(name: str, cores: int, connection: Connection) -> None:
    """Runs in a contender's process: builds it, then times it on each corpus that is asked for."""
    if hasattr(os, "sched_setaffinity"):  # every library then uses so many cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    corpora = make_corpora()
    run = CONTENDERS[name](cores)
    begin = time.perf_counter()
    result = run(*corpora["headlines"])
    connection.send((time.perf_counter() - begin, result))
    while (corpus := connection.recv()) is not None:
        wall, cpu = time.perf_counter(), time.process_time()
        run(*corpora[corpus])
        connection.send(Round(time.perf_counter() - wall, time.process_time() - cpu))


def compete(names: list[str], *, cores: int) -> dict[tuple[str, str], list[Round]]:
    """Times all contenders in turns: `(contender, corpus)` -> its rounds."""
    connections: dict[str, Connection] = {}
    results: dict[str, Any] = {}
    for name in names:  # one starts after the other, so that the first run is timed alone
        connections[name] = start_contender(serve, name, cores)
        seconds, results[name] = connections[name].recv()
        print(f"  {name}: {cores} core(s), first run {seconds:.2f} s", flush=True)
    for name in set(names) - {"floor"}:
        for got, expected in zip(results[name], results["folded"], strict=True):
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5, err_msg=name)

    rounds: dict[tuple[str, str], list[Round]] = {}
    for corpus in make_corpora():
        for _ in range(ROUNDS):
            for name in names:
                connections[name].send(corpus)
                rounds.setdefault((name, corpus), []).append(connections[name].recv())
    for connection in connections.values():
        connection.send(None)
    return rounds


def main() -> None:
    """Prints a table for each number of cores."""
    # Matrices this small gain less from the BLAS's own threads than from a thread for each batch.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    names = list(CONTENDERS)
    if not all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
        print("onnxruntime: skipped; pip install onnx onnxruntime to include it")
        names.remove("onnxruntime")
    for cores in (1, 2):
        rounds = compete(names, cores=cores)
        print(f"\n{cores} core(s), documents a second: wall time (CPU time); folded = 1")
        for corpus, documents in make_corpora().items():
            rows = len(documents.row_offsets) - 1
            print(f"  {corpus}: {rows:,} documents, {len(documents.ids):,} tokens")
            wall, cpu = (
                {
                    name: rows / statistics.median(part[kind] for part in rounds[name, corpus])
                    for name in names
                }
                for kind in (0, 1)
            )
            for name in names:
                print(
                    f"    {name:12} {wall[name]:9,.0f} ({cpu[name]:9,.0f})"
                    f"   {wall[name] / wall['folded']:.2f} ({cpu[name] / cpu['folded']:.2f})"
                )
        print(flush=True)


if __name__ == "__main__":
    main()
