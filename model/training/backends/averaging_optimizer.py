"""Optimizers that average weights over steps; `model.training.state.averaging` has the formula."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from typing_extensions import override


def averaging_optimizer(
    base: type[keras.optimizers.Optimizer], *, decay: float
) -> type[keras.optimizers.Optimizer]:
    """A subclass of an optimizer that averages the weights over about n = 1 / (1 - decay) steps.

    Keras's own average (`use_ema`) begins with the weights after the first step, which keep a large
    share of it in a short training: 37 % after 1,000 steps with a decay of 0.999. It also replaces
    the trained weights at the end of every `fit`, which is an epoch here.
    """

    class AveragingOptimizer(base):
        """The optimizer, with the averages beside its other variables."""

        @override
        def build(self, variables: Sequence[keras.Variable]) -> None:
            super().build(variables)
            self._averages = self.add_optimizer_variables(variables, "average")
            for variable, average in self.weight_averages:
                average.assign(np.array(variable))  # JAX would share the buffer

        @property
        def weight_averages(self) -> list[tuple[keras.Variable, keras.Variable]]:
            """Each trained weight and its average."""
            return list(zip(self._trainable_variables, self._averages, strict=True))

        @override
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate)
            average = self._averages[self._get_variable_index(variable)]
            step = ops.cast(self.iterations + 1, average.dtype)
            share = ops.maximum(1 - decay, 1 / step)
            self.assign_add(average, share * (ops.convert_to_tensor(variable) - average))

    return AveragingOptimizer
