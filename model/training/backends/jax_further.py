"""A training step with further losses on JAX."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import keras
from keras import ops
from typing_extensions import override

from model.layers.sequences import Tensor
from model.training.backends.passes import Further, Parts, Passes

# Variables and the values that they have in a computation without state.
State = Sequence[tuple[Any, Any]]


class FurtherTrainee(keras.Model):
    """A model whose loss contains further losses.

    Args:
        network: from `model.layers.classifier`.
        logits: its output of this name.
        further: the further losses.
    """

    def __init__(self, network: keras.Model, logits: Any, further: Further) -> None:
        super().__init__(network.inputs, logits)
        self._parts = Parts(network, logits)
        self._further = further
        self._noise = keras.random.SeedGenerator()

    @override
    def compute_loss_and_updates(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Sequence[Any] | None = None,
    ) -> tuple[Tensor, tuple[Any, ...]]:
        others = [*self.non_trainable_variables, *self.metrics_variables]
        values = [*non_trainable_variables, *metrics_variables]
        state = [
            *zip(self.trainable_variables, trainable_variables, strict=True),
            *zip(others, values, strict=True),
        ]
        with keras.StatelessScope(state_mapping=state) as scope:
            passes = _JaxPasses(self._parts, x, self._noise, state)
            loss = self.compute_loss(x, y, passes.logits, sample_weight, training=training)
            for further in self._further(passes, y):
                loss += ops.mean(further * sample_weight)
        now = [
            _value_in(scope, variable, value)
            for variable, value in zip(others, values, strict=True)
        ]
        scaling = zip(self.optimizer.variables, optimizer_variables or (), strict=True)
        with keras.StatelessScope(state_mapping=list(scaling)):
            scaled = self.optimizer.scale_loss(loss)
        split = len(self.non_trainable_variables)
        return scaled, (loss, passes.logits, now[:split], now[split:])


class _JaxPasses(Passes):
    """`Passes`, inside a scope that holds the variables' values."""

    def __init__(
        self,
        parts: Parts,
        inputs: Mapping[str, Any],
        noise: keras.random.SeedGenerator,
        state: State,
    ) -> None:
        self._parts = parts
        self._inputs = dict(inputs)
        self._noise = noise
        self._state = state
        self.vectors = parts.embed(self._inputs)
        self.length = inputs["length"]
        self.logits = parts.run(self._inputs, self.vectors)

    @override
    def run(self, vectors: Tensor) -> Tensor:
        # The scope begins with the values before the step, those of dropout's random numbers too.
        with keras.StatelessScope(state_mapping=self._state):
            return self._parts.run(self._inputs, vectors)

    @override
    def gradient(self, loss: Callable[[Tensor], Tensor], vectors: Tensor) -> Tensor:
        constants = [(variable, jax.lax.stop_gradient(value)) for variable, value in self._state]

        def of_vectors(vectors: Tensor) -> Tensor:
            with keras.StatelessScope(state_mapping=constants):
                return loss(self._parts.run(self._inputs, vectors))

        return jax.grad(of_vectors)(jax.lax.stop_gradient(vectors))

    @override
    def noise(self) -> Tensor:
        return keras.random.normal(ops.shape(self.vectors), dtype="float32", seed=self._noise)


def _value_in(scope: keras.StatelessScope, variable: Any, before: Any) -> Any:
    now = scope.get_current_value(variable)
    return before if now is None else now
