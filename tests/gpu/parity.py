"""The part `parity`: how far a GPU's results are from a CPU's.

On recent GPUs JAX rounds the factors of float32 products to 10 bits (TF32), cuDNN's LSTM
included. So everything is computed twice on the GPU: `default`, and `full` with
`jax.default_matmul_precision("highest")`. The reference of an LSTM's states is NumPy in float64;
that of everything else is Keras on the CPU in float32, or the CPU engine.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import keras
import numpy as np
from keras import ops

from model.folded.engine import FoldedEngine
from model.layers.attention import KINDS
from model.layers.bilstm import BiLSTM
from model.layers.classifier import LengthMask
from model.layers.weights import copy_weights
from tests.gpu.kernels import count_kernels
from tests.gpu.networks import (
    MAX_TOKENS,
    VOCABULARY,
    Documents,
    build_network,
    computing,
    draw_documents,
    draw_weights,
    network_config,
)
from tests.gpu.reference import reference_states

if TYPE_CHECKING:
    from tests.gpu.run import Options

Arrays: TypeAlias = dict[str, np.ndarray]

# The inputs of the layer are as large as the rows of a trained embedding.
SPREAD_OF_INPUTS = 0.3

# Name of a way to compute -> the arguments of `computing`.
WAYS: dict[str, dict[str, bool]] = {
    "cpu": {"cpu": True},
    "default": {"cpu": False},
    "full": {"cpu": False, "full_precision": True},
}
KIND_SIZES: dict[str, dict[str, int]] = {
    "positional": {"max_tokens": MAX_TOKENS},
    "context": {"units": 128},
    "luong": {"units": 128},
    "bahdanau": {"units": 128},
    "multihead": {"units": 128, "heads": 4},
}


def run(report: Callable[[str, Any], None], options: "Options") -> None:
    rows, steps = (4, 12) if options.tiny else (64, MAX_TOKENS)
    report("bilstm", compare_bilstm(rows, steps))
    documents = draw_documents(_lengths(12 if options.tiny else 512))
    report("network", compare_network(documents))
    report("kinds", compare_kinds(draw_documents(_lengths(4 if options.tiny else 64))))


def _lengths(documents: int) -> np.ndarray:
    """Half of them as long as a document can be, the others of any length."""
    lengths = np.random.default_rng(1).integers(1, MAX_TOKENS + 1, documents)
    lengths[::2] = MAX_TOKENS
    return lengths


def compare_bilstm(rows: int, steps: int, *, units: int = 64, features: int = 128) -> Arrays:
    """A layer alone: cuDNN in the trace, and the differences of states and gradients."""
    layer = BiLSTM(units)
    layer.build((None, steps, features))
    draw_weights(layer)
    random = np.random.default_rng(3)
    length = random.integers(1, steps + 1, rows).astype(np.int32)
    length[0] = steps
    sequences = random.normal(0, SPREAD_OF_INPUTS, (rows, steps, features)).astype(np.float32)
    real = np.arange(steps) < length[:, None]
    upstream = random.normal(size=(rows, steps, 2 * units)).astype(np.float32) * real[..., None]

    def states(weights: list[Any], sequences: Any) -> Any:
        others = [variable.value for variable in layer.non_trainable_variables]
        outputs, _ = layer.stateless_call(weights, others, sequences, length)
        return outputs[0]

    def loss(weights: list[Any], sequences: Any) -> Any:
        return ops.sum(states(weights, sequences) * upstream)

    weights = layer.get_weights()[: len(layer.trainable_variables)]
    found: dict[str, Arrays] = {}
    result: dict[str, Any] = {}
    for way, arguments in WAYS.items():
        with computing(layer, **arguments):
            # A new function each time: JAX would reuse the trace of the one before.
            gradient = jax.jit(jax.grad(lambda *inputs: loss(*inputs), argnums=(0, 1)))
            forward = jax.jit(lambda *inputs: states(*inputs))
            by_weight, by_sequence = gradient(weights, sequences)
            names = [variable.path for variable in layer.trainable_variables]
            found[way] = dict(zip(names, map(np.asarray, by_weight), strict=True))
            found[way]["sequences"] = np.asarray(by_sequence)
            found[way]["states"] = np.asarray(forward(weights, sequences))[real]
            if way == "default":
                result["forward kernels"] = count_kernels(forward, weights, sequences)
                result["gradient kernels"] = count_kernels(gradient, weights, sequences)
    exact = reference_states(layer, sequences, length)[real]
    result["states"] = {
        way: float(np.abs(arrays["states"] - exact).max()) for way, arrays in found.items()
    }
    result["gradients, relative to the largest"] = {
        way: max(
            float(np.abs(found[way][name] - expected).max() / np.abs(expected).max())
            for name, expected in found["cpu"].items()
            if name != "states"
        )
        for way in found
        if way != "cpu"
    }
    return result


def compare_network(
    documents: Documents, weights: list[np.ndarray] | None = None
) -> dict[str, dict[str, float]]:
    """The network of `guide_attention_2d` beside the CPU engine: probabilities and attention.

    Args:
        documents: to score.
        weights: of the network; None for random ones.
    """
    config = network_config()
    network = build_network(config)
    if weights is not None:
        network.set_weights(weights)
    probabilities, attention = FoldedEngine(copy_weights(network), config).run(*documents)
    real = np.arange(MAX_TOKENS) < np.diff(documents.row_offsets)[:, None]
    differences = {}
    for way, arguments in WAYS.items():
        outputs = compute(network, documents.padded(), **arguments)
        differences[way] = {
            "probabilities": float(np.abs(outputs["probabilities"] - probabilities).max()),
            "attention": float(np.abs(outputs["attention"][real] - attention).max()),
        }
    return differences


def compute(network: keras.Model, inputs: Arrays, **arguments: bool) -> Arrays:
    """The outputs of a network; the arguments are those of `computing`."""
    with computing(network, **arguments):

        @jax.jit
        def forward(weights: list[Any], others: list[Any], inputs: Mapping[str, Any]) -> Any:
            outputs, _ = network.stateless_call(weights, others, inputs, training=False)
            return outputs

        outputs = forward(
            [np.asarray(variable.value) for variable in network.trainable_variables],
            [np.asarray(variable.value) for variable in network.non_trainable_variables],
            inputs,
        )
        return {name: np.asarray(values) for name, values in outputs.items()}


def compare_kinds(documents: Documents) -> dict[str, dict[str, float]]:
    """Every kind of attention over one Bi-LSTM: pooled vector and weights, GPU beside CPU."""
    model = all_kinds()
    draw_weights(model)
    found = {way: compute(model, documents.padded(), **WAYS[way]) for way in WAYS}
    return {
        way: {
            name: float(np.abs(found[way][name] - expected).max())
            for name, expected in found["cpu"].items()
        }
        for way in WAYS
        if way != "cpu"
    }


def all_kinds() -> keras.Model:
    """One model, which compiles faster than one for each kind."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    length = keras.Input((), dtype="int32", name="length")
    mask = LengthMask()(token_ids, length)
    states = keras.layers.Embedding(VOCABULARY, 128, name="embedding")(token_ids)
    states, final = BiLSTM(64, name="bilstm_1")(states, length)
    outputs = {}
    for kind, layer_class in KINDS.items():
        layer = layer_class(**KIND_SIZES.get(kind, {}), name=kind)
        outputs[f"{kind} pooled"], outputs[f"{kind} weights"] = layer(states, mask, final)
    return keras.Model({"token_ids": token_ids, "length": length}, outputs)
