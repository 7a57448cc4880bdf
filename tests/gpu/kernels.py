"""The operations of a traced function, on whichever backend Keras runs on."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import keras

# cuDNN's LSTM and its gradient, and a loop over the steps, as each backend names them.
NAMES = {
    "jax": {"rnn_fwd": "lstm", "rnn_bwd": "lstm gradient", "scan": "loop", "while": "loop"},
    "tensorflow": {
        "CudnnRNNV3": "lstm",
        "CudnnRNNBackpropV3": "lstm gradient",
        "While": "loop",
        "StatelessWhile": "loop",
        "TensorListReserve": "loop",
    },
}


def count_kernels(function: Callable[..., Any], *arguments: Any) -> dict[str, int]:
    """How often `lstm`, `lstm gradient` and `loop` are in the trace of `function(*arguments)`."""
    names = NAMES[keras.backend.backend()]
    found = Counter(dict.fromkeys(names.values(), 0))
    for operation, _ in traced_operations(function, *arguments):
        if operation in names:
            found[names[operation]] += 1
    return dict(found)


def cudnn_dtypes(function: Callable[..., Any], *arguments: Any) -> set[str]:
    """What cuDNN's LSTMs in the trace compute in, such as `float32`."""
    names = NAMES[keras.backend.backend()]
    return {
        dtype
        for operation, dtype in traced_operations(function, *arguments)
        if names.get(operation, "loop") != "loop"
    }


def traced_operations(function: Callable[..., Any], *arguments: Any) -> list[tuple[str, str]]:
    """The name of every operation in the trace, and the dtype of its first output."""
    if keras.backend.backend() == "jax":
        return _jax_operations(function, *arguments)
    import tensorflow as tf

    graph = tf.function(function).get_concrete_function(*arguments).graph
    return [
        (operation.type, operation.outputs[0].dtype.name if operation.outputs else "")
        for operation in graph.get_operations()
    ]


def _jax_operations(function: Callable[..., Any], *arguments: Any) -> list[tuple[str, str]]:
    import jax
    from jax.extend import core

    found = []

    def visit(jaxpr: Any) -> None:
        for equation in jaxpr.eqns:
            dtype = str(equation.outvars[0].aval.dtype) if equation.outvars else ""
            found.append((equation.primitive.name, dtype))
            for inner in core.jaxprs_in_params(equation.params):
                visit(inner)

    visit(jax.make_jaxpr(function)(*arguments).jaxpr)
    return found
