"""The folded engine against the floor of its recurrent products, ONNX Runtime and Keras.

    python -m tests.benchmarks.bench_engine

Every contender runs in a process of its own that may use one core, or two. In
each round all of them score the same documents, one contender after the other;
the table shows the median over the rounds, in documents a second of wall time
and of CPU time. Where other processes share the machine, the latter is the one
to compare.

- `folded`: `model.folded.engine.FoldedEngine`.
- `floor`: nothing but `np.dot(h[:n], U, out=z[:n])` for every step and
  direction over sorted batches, in NumPy's own BLAS: what an engine that uses
  this BLAS cannot beat.
- `onnxruntime`: an LSTM operator over float32, in length-sorted batches, a
  batch a core. Skipped where `onnx` or `onnxruntime` is not installed.
- `keras`: `model.scoring.keras_engine.KerasEngine`, length-sorted batches.

The network is that of the configuration `guide_attention_2d`, its weights are
random, and the contenders' attention must agree before they are timed.
"""

import importlib.util
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from model.config import AttentionConfig, NetworkConfig

ROUNDS = 7
BATCH_ROWS = 256
MAX_TOKENS = 200
VOCABULARY = 10_000
CONFIG = NetworkConfig(attention=AttentionConfig(kind="positional"), head="sigmoid")

Run = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray] | None]


class Documents(NamedTuple):
    ids: np.ndarray
    row_offsets: np.ndarray


def make_documents(lengths: np.ndarray) -> Documents:
    """Documents whose words are as frequent as Zipf says."""
    random = np.random.default_rng(0)
    frequency = 1 / np.arange(1, VOCABULARY + 1)
    ids = random.choice(VOCABULARY, lengths.sum(), p=frequency / frequency.sum())
    return Documents(ids.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]))


def make_corpora() -> dict[str, Documents]:
    random = np.random.default_rng(1)
    # Film reviews: the median is 173 words, and 4 in 10 are cut at 200.
    reviews = np.clip(random.lognormal(np.log(173), 0.65, 1024), 5, MAX_TOKENS).astype(int)
    return {
        "200 tokens": make_documents(np.full(768, MAX_TOKENS)),
        "reviews": make_documents(reviews),
        "headlines": make_documents(random.integers(4, 25, 8192)),
    }


def make_network(*, ids: int = VOCABULARY) -> Any:
    from model.layers.classifier import build_classifier

    network = build_classifier(CONFIG, ids=ids, max_tokens=MAX_TOKENS, labels=2)
    random = np.random.default_rng(2)
    # Of the size of trained weights: gates neither idle nor saturated.
    network.set_weights([random.normal(0, 0.1, w.shape) for w in network.get_weights()])
    return network


def sorted_batches(row_offsets: np.ndarray) -> list[np.ndarray]:
    longest_first = np.argsort(-np.diff(row_offsets), kind="stable")
    return np.split(longest_first, np.arange(BATCH_ROWS, len(longest_first), BATCH_ROWS))


def folded_contender(cores: int) -> Run:
    from model.folded.engine import FoldedEngine
    from tests.model.folded.keras_weights import copy_weights

    return FoldedEngine(copy_weights(make_network()), CONFIG, threads=cores).run


def keras_contender(cores: int) -> Run:
    from model.scoring.keras_engine import KerasEngine

    return KerasEngine(make_network()).run


def floor_contender(cores: int) -> Run:
    units = CONFIG.lstm.units
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
    return onnxruntime_scorer(onnx_model(make_network()).SerializeToString(), cores=cores)


def onnxruntime_scorer(model: bytes | str, *, cores: int) -> Run:
    """Scores with a model, given as bytes or as a path, in length-sorted batches."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # two batches on two cores beat one batch on both
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])

    def run(ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.diff(row_offsets)
        probabilities = np.empty((len(lengths), 2), np.float32)
        attention = np.empty(len(ids), np.float32)

        def score(rows: np.ndarray) -> None:
            steps = np.arange(lengths[rows[0]])
            real = steps < lengths[rows, None]
            places = row_offsets[rows, None] + np.minimum(steps, lengths[rows, None] - 1)
            inputs = {
                "token_ids": ids[places].T,
                "length": lengths[rows].astype(np.int32),
                "penalty": np.where(real, 0, -1e30).astype(np.float32),
            }
            probabilities[rows], weights = session.run(["probabilities", "attention"], inputs)
            attention[places[real]] = weights[real]

        with ThreadPoolExecutor(cores) as executor:
            list(executor.map(score, sorted_batches(row_offsets)))
        return probabilities, attention

    return run


def onnx_model(network: Any) -> Any:
    """The network as an ONNX graph; `penalty` `(batch, steps)` is -1e30 at padding, else 0."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def onnx_gates(matrix: np.ndarray) -> np.ndarray:
        gate_in, gate_forget, gate_cell, gate_out = np.split(matrix, 4, axis=-1)
        return np.concatenate([gate_in, gate_out, gate_forget, gate_cell], axis=-1).T

    units = CONFIG.lstm.units
    embedding, *lstms, query, bias, head_kernel, head_bias = network.get_weights()
    kernels, recurrent_kernels, biases = lstms[0::3], lstms[1::3], lstms[2::3]
    constants = {
        "embedding": embedding,
        "W": np.stack([onnx_gates(kernel) for kernel in kernels]),
        "R": np.stack([onnx_gates(kernel) for kernel in recurrent_kernels]),
        "B": np.stack([np.append(onnx_gates(b), np.zeros_like(b)) for b in biases]),
        "query": query,
        "bias": bias,
        "head_kernel": head_kernel,
        "head_bias": head_bias,
        "one": np.float32(1),
        "zero_index": np.array([0]),
        "last_axis": np.array([2]),
        "middle_axis": np.array([1]),
        "flat": np.array([0, 0, 2 * units]),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["embedding", "token_ids"], ["inputs"]),
        node(
            "LSTM",
            ["inputs", "W", "R", "B", "length"],
            ["by_direction"],
            hidden_size=units,
            direction="bidirectional",
        ),  # (steps, 2, batch, units)
        node("Transpose", ["by_direction"], ["by_row"], perm=[2, 0, 1, 3]),
        node("Reshape", ["by_row", "flat"], ["states"]),  # (batch, steps, 2 * units)
        node("MatMul", ["states", "query"], ["products"]),
        node("Squeeze", ["products", "last_axis"], ["scores"]),
        node("Shape", ["token_ids"], ["steps"], end=1),
        node("Slice", ["bias", "zero_index", "steps"], ["biases"]),
        node("Add", ["scores", "biases"], ["biased"]),
        node("Tanh", ["biased"], ["energies"]),
        node("Add", ["energies", "penalty"], ["masked"]),
        node("Softmax", ["masked"], ["attention"], axis=1),
        node("Unsqueeze", ["attention", "middle_axis"], ["shares"]),
        node("MatMul", ["shares", "states"], ["contexts"]),
        node("Squeeze", ["contexts", "middle_axis"], ["context"]),
        node("Gemm", ["context", "head_kernel", "head_bias"], ["logit"]),
        node("Sigmoid", ["logit"], ["second"]),
        node("Sub", ["one", "second"], ["first"]),
        node("Concat", ["first", "second"], ["probabilities"], axis=1),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "classifier",
        [
            value("token_ids", TensorProto.INT32, ["steps", "batch"]),
            value("length", TensorProto.INT32, ["batch"]),
            value("penalty", TensorProto.FLOAT, ["batch", "steps"]),
        ],
        [
            value("probabilities", TensorProto.FLOAT, ["batch", 2]),
            value("attention", TensorProto.FLOAT, ["batch", "steps"]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


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
    """A contender's process: makes it, then runs and times it whenever it is asked to."""
    if hasattr(os, "sched_setaffinity"):  # every library finds so many cores
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
    """Every round of every contender: `(contender, corpus)` -> its rounds."""
    context = multiprocessing.get_context("spawn")
    connections: dict[str, Connection] = {}
    results: dict[str, Any] = {}
    for name in names:  # one starts after the other, so that the first run is timed alone
        connections[name], theirs = context.Pipe()
        context.Process(target=serve, args=(name, cores, theirs), daemon=True).start()
        theirs.close()  # so that a contender that dies ends this process, too
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
    # A product this small gains less from a BLAS's own threads than from a batch a thread.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    names = list(CONTENDERS)
    if not all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
        print("onnxruntime: skipped; pip install onnx onnxruntime to see it")
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
