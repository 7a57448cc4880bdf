"""Pooling without attention: the controls that attention is compared with.

Call arguments of every layer here: `states` `(batch, steps, width)` and `mask` bool
`(batch, steps)`, True at real steps; `FinalPooling` also needs `final` `(batch, width)`.

Returns: `(pooled, weights)`, `(batch, width)` and `(batch, steps)`, both 0 for a row that is all
padding. The weight of a token is the share that its state has in the pooled vector.

They are called like `model.layers.attention.Attention` and have no trainable weights.
"""

from typing import Any

import keras
from keras import ops
from typing_extensions import override

from model.layers.sequences import Tensor, last_real_step


@keras.saving.register_keras_serializable(package="limelight")
class MeanPooling(keras.layers.Layer):
    """Averages the real states.

    pooled = 1/n Σ_t h_t; the weight of each of the n real steps is 1/n.
    """

    @override
    def call(
        self, states: Tensor, mask: Tensor, final: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        real = ops.cast(mask, "float32")
        weights = real / ops.maximum(ops.sum(real, axis=1, keepdims=True), 1.0)
        pooled = ops.einsum("bt,btw->bw", ops.cast(weights, states.dtype), states)
        return pooled, weights


@keras.saving.register_keras_serializable(package="limelight")
class MaxPooling(keras.layers.Layer):
    """Takes the largest value of each unit over the real steps.

    pooled_i = max_t h_ti; the weight of a step is the share of units whose
    maximum is at that step. Where several steps tie, the first one counts.

    Reference: Conneau et al., 2017 (BiLSTM-max), for the pooling.
    """

    @override
    def call(
        self, states: Tensor, mask: Tensor, final: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        real = ops.expand_dims(mask, -1)  # (batch, steps, 1)
        candidates = ops.where(real, states, float("-inf"))
        not_empty = ops.any(mask, axis=1, keepdims=True)  # (batch, 1)
        pooled = ops.where(not_empty, ops.max(candidates, axis=1), 0.0)

        positions = ops.reshape(ops.arange(ops.shape(states)[1], dtype="int32"), (1, -1, 1))
        winners = ops.expand_dims(ops.cast(ops.argmax(candidates, axis=1), "int32"), 1)
        won = ops.logical_and(ops.equal(positions, winners), real)  # (batch, steps, width)
        return pooled, ops.mean(ops.cast(won, "float32"), axis=-1)


@keras.saving.register_keras_serializable(package="limelight")
class LastPooling(keras.layers.Layer):
    """Takes the state of the last real token, of both directions.

    pooled = h_n; the weight of step n is 1.
    """

    @override
    def call(
        self, states: Tensor, mask: Tensor, final: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        pooled = last_real_step(states, ops.sum(ops.cast(mask, "int32"), axis=1))
        return pooled, _last_step(mask)


@keras.saving.register_keras_serializable(package="limelight")
class FinalPooling(keras.layers.Layer):
    """Takes the last state of each direction: the plain Bi-LSTM classifier.

    pooled = final, as `Bidirectional(LSTM(return_sequences=False))` returns.
    The forward half is the state at the last real token and the backward half
    the state at the first, so each of the two tokens gets weight 1/2. With one
    direction only, or one token, the last token gets weight 1.

    Args:
        bidirectional: whether `final` has a backward half.
    """

    def __init__(self, *, bidirectional: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bidirectional = bidirectional

    @override
    def call(self, states: Tensor, mask: Tensor, final: Tensor) -> tuple[Tensor, Tensor]:
        weights = _last_step(mask)
        if self.bidirectional:
            weights = (weights + _first_step(mask)) / 2
        return final, weights

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bidirectional": self.bidirectional}


def _first_step(mask: Tensor) -> Tensor:
    """1.0 at each row's first step where that is real, else 0.0."""
    real = ops.cast(mask, "float32")
    return ops.concatenate([real[:, :1], ops.zeros_like(real[:, 1:])], axis=1)


def _last_step(mask: Tensor) -> Tensor:
    """1.0 at each row's last real step, else 0.0."""
    real = ops.cast(mask, "float32")
    following = ops.concatenate([real[:, 1:], ops.zeros_like(real[:, :1])], axis=1)
    return real - following
