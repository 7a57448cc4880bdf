"""The operations of a traced JAX function."""

from collections import Counter
from collections.abc import Callable
from typing import Any

# The primitives of cuDNN's LSTM and its gradient, and of a loop over the steps.
CUDNN = ("rnn_fwd", "rnn_bwd")
LOOPS = ("scan", "while")


def count_primitives(function: Callable[..., Any], *arguments: Any) -> dict[str, int]:
    """How often `CUDNN` and `LOOPS` are in the trace of `function(*arguments)`."""
    import jax
    from jax.extend import core

    found: Counter[str] = Counter()

    def visit(jaxpr: Any) -> None:
        for equation in jaxpr.eqns:
            found[equation.primitive.name] += 1
            for inner in core.jaxprs_in_params(equation.params):
                visit(inner)

    visit(jax.make_jaxpr(function)(*arguments).jaxpr)
    return {name: found[name] for name in (*CUDNN, *LOOPS)}
