"""From the head's scores to logits, and from logits to probabilities.

Every function is pure, uses only `keras.ops`, and stays finite, with its gradient, for scores of
1e4 and more. A probability near 0 or 1 loses its digits in float32: at a score of 20, p rounds to
1, and neither log p nor its gradient can be taken from it any more. So the network ends in logits,
losses are taken from them (`model.training.losses`), and probabilities are only shown.

A softmax head's logits l are defined up to a constant, p = softmax(l). A sigmoid head has one
score z for two labels; its logits are [0, z], and softmax([0, z]) = [1 - sigmoid(z), sigmoid(z)].
A `multilabel` head has one logit a label, p = sigmoid(l).
"""

from typing import Any

import keras
from keras import ops
from typing_extensions import override

from model.config import Head
from model.layers.sequences import LOWEST_ENERGY, Tensor


def probabilities_of(logits: Tensor, *, head: Head) -> Tensor:
    """Probabilities of logits, both `(batch, labels)`: softmax, or sigmoid for `multilabel`."""
    return ops.sigmoid(logits) if head == "multilabel" else ops.softmax(logits, axis=-1)


def two_logits(score: Tensor) -> Tensor:
    """The logits [0, z] of a sigmoid head's score z: `(batch, 1)` to `(batch, 2)`."""
    return ops.concatenate([ops.zeros_like(score), score], axis=-1)


def log_mean_exp(values: Tensor, mask: Tensor) -> Tensor:
    """The logarithm of the mean of exp(x_t) over the real steps of each row.

    With m = max_t x_t over the n real steps, m + log(1/n Σ_t exp(x_t - m)).

    Args:
        values: float32 `(batch, steps, labels)`.
        mask: bool `(batch, steps)`, True at real steps.

    Returns:
        float32 `(batch, labels)`; 0 for a row without real steps.
    """
    real = ops.expand_dims(mask, -1)  # (batch, steps, 1)
    not_empty = ops.any(real, axis=1)  # (batch, 1)
    values = ops.where(real, values, LOWEST_ENERGY)
    highest = ops.stop_gradient(ops.max(values, axis=1, keepdims=True))
    shares = ops.exp(values - highest) * ops.cast(real, values.dtype)
    steps = ops.sum(ops.cast(real, values.dtype), axis=1)
    mean = ops.sum(shares, axis=1) / ops.maximum(steps, 1.0)
    log_mean = ops.squeeze(highest, axis=1) + ops.log(ops.where(not_empty, mean, 1.0))
    return ops.where(not_empty, log_mean, 0.0)


def mean_over_steps(scores: Tensor, mask: Tensor, *, exclusive: bool) -> Tensor:
    """The scores of a document whose probabilities are the means over those of its real steps.

    Exclusive labels: with log p_t = log softmax(l_t), the logits are log(1/n Σ_t p_t); their
    softmax is that mean, because it sums to 1. Otherwise each score z_t stands for a probability
    p_t = sigmoid(z_t), and the score is log(1/n Σ_t p_t) - log(1/n Σ_t (1 - p_t)), whose sigmoid
    is the mean of p_t. Both are computed by `log_mean_exp` from log p_t and log(1 - p_t), never
    from p_t.

    Args:
        scores: float32 `(batch, steps, labels)`.
        mask: bool `(batch, steps)`, True at real steps.
        exclusive: whether each document has exactly one of the labels.

    Returns:
        float32 `(batch, labels)`; 0 for a row without real steps, which gives equal probabilities.
    """
    if exclusive:
        return log_mean_exp(ops.log_softmax(scores, axis=-1), mask)
    log_p, log_not_p = -ops.softplus(-scores), -ops.softplus(scores)
    return log_mean_exp(log_p, mask) - log_mean_exp(log_not_p, mask)


@keras.saving.register_keras_serializable(package="limelight")
class MeanOverSteps(keras.layers.Layer):
    """`mean_over_steps` as a layer.

    Call arguments: `scores` `(batch, steps, labels)` and `mask` bool `(batch, steps)`.

    Returns: `(batch, labels)`.

    Args:
        exclusive: as in `mean_over_steps`.
    """

    def __init__(self, *, exclusive: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exclusive = exclusive

    @override
    def call(self, scores: Tensor, mask: Tensor) -> Tensor:
        return mean_over_steps(scores, mask, exclusive=self.exclusive)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "exclusive": self.exclusive}
