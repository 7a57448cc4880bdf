"""The network of the benchmarks in ONNX Runtime, as a competent user would run it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

BATCH_ROWS = 256

Score = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def sorted_batches(row_offsets: np.ndarray) -> list[np.ndarray]:
    longest_first = np.argsort(-np.diff(row_offsets), kind="stable")
    return np.split(longest_first, np.arange(BATCH_ROWS, len(longest_first), BATCH_ROWS))


def onnxruntime_scorer(model: bytes | str, *, cores: int) -> Score:
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


def onnx_model(network: Any) -> bytes:
    """The network as a serialized ONNX graph.

    Its input `penalty` `(batch, steps)` is -1e30 at padding and 0 at tokens.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def onnx_gates(matrix: np.ndarray) -> np.ndarray:
        gate_in, gate_forget, gate_cell, gate_out = np.split(matrix, 4, axis=-1)
        return np.concatenate([gate_in, gate_out, gate_forget, gate_cell], axis=-1).T

    embedding, *lstms, query, bias, head_kernel, head_bias = network.get_weights()
    kernels, recurrent_kernels, biases = lstms[0::3], lstms[1::3], lstms[2::3]
    units = len(recurrent_kernels[0])
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
    return model.SerializeToString()
