"""The kinds of attention: one vector from a padded sequence of states, and one weight per token.

Every kind computes an energy e_t for each step t, turns the energies into weights α = softmax(e)
over the real steps, and sums the weighted states into a context c = Σ_t α_t h_t. The kinds differ
in the energy and in how the pooled vector is computed from the context. In the equations h_t is a
state, n the number of real steps, and h_last the last states of both directions of the LSTM (the
`final` of `model.layers.bilstm.BiLSTM`). In shapes, `width` is the size of a state.
"""

from typing import Any

import keras
from keras import ops
from typing_extensions import override

from model.layers.pooling import FinalPooling, LastPooling, MaxPooling, MeanPooling
from model.layers.sequences import Shape, Tensor, masked_softmax, weighted_sum


class Attention(keras.layers.Layer):
    """The base class of all kinds of attention: from energies to `(pooled, weights)`.

    A subclass defines `energies`, and `finish` if the pooled vector is not the context itself.

    Call arguments:
        states: float tensor `(batch, steps, width)`.
        mask: bool tensor `(batch, steps)`, True at real steps.
        final: float tensor `(batch, width)`; used only by `LuongAttention` and
            `BahdanauAttention`, which require it.

    Returns:
        `(pooled, weights)`. Weights are `(batch, steps)`, at least 0, exactly
        0 at padding, and sum to 1 over the real steps; they are float32 even
        when the network computes in half precision. A row that is all padding
        gets weights of 0 and a context of 0. `pooled` is `(batch, width)`
        unless the kind says otherwise. With `return_sequences` the weighted
        states α_t h_t are not summed, and `finish` is applied to each of them:
        `pooled` is `(batch, steps, width)`, and its values at padding have no
        meaning.

    Args:
        return_sequences: keep the weighted states as a sequence.
        regularizer: applied to every weight.
    """

    def __init__(
        self, *, return_sequences: bool = False, regularizer: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.return_sequences = return_sequences
        self.regularizer = keras.regularizers.get(regularizer)

    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        """The energy of every step, `(batch, steps, heads)`; only multihead has several heads."""
        raise NotImplementedError

    def finish(self, context: Tensor, final: Tensor | None) -> Tensor:
        """The pooled vector of a context: here, the context itself."""
        return context

    @override
    def call(
        self, states: Tensor, mask: Tensor, final: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        weights = masked_softmax(self.energies(states, final), mask)  # (batch, steps, heads)
        shares = ops.cast(weights, states.dtype)
        # The contexts of the heads are concatenated along the last axis, head 0 first.
        _, steps, width = ops.shape(states)
        if self.return_sequences:
            context = ops.expand_dims(shares, 3) * ops.expand_dims(states, 2)
            context = ops.reshape(context, (-1, steps, weights.shape[-1] * width))
        else:
            context = weighted_sum(shares, states)
            context = ops.reshape(context, (-1, weights.shape[-1] * width))
        return self.finish(context, final), ops.mean(weights, axis=-1)

    def add_matrix(self, name: str, *shape: int) -> keras.Variable:
        """A trainable matrix, Glorot-initialized; a vector is a matrix of one column."""
        return self.add_weight(
            name=name, shape=shape, initializer="glorot_uniform", regularizer=self.regularizer
        )

    def add_bias(self, name: str, size: int) -> keras.Variable:
        """A trainable vector that starts at 0."""
        return self.add_weight(
            name=name, shape=(size,), initializer="zeros", regularizer=self.regularizer
        )

    @override
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


@keras.saving.register_keras_serializable(package="limelight")
class ZhouAttention(Attention):
    """The attention of the relation classifier of Zhou et al.

    e_t = wᵀ tanh(h_t); pooled = tanh(Σ_t α_t h_t).

    Weights: `kernel` w `(width, 1)`.

    Reference: Zhou et al., ACL 2016, equations 9-12.
    """

    @override
    def build(self, states_shape: Shape) -> None:
        self.kernel = self.add_matrix("kernel", states_shape[-1], 1)

    @override
    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        return ops.matmul(ops.tanh(states), self.kernel)

    @override
    def finish(self, context: Tensor, final: Tensor | None) -> Tensor:
        return ops.tanh(context)


@keras.saving.register_keras_serializable(package="limelight")
class DenseAttention(Attention):
    """Attention whose energy is a dense layer of one tanh unit.

    e_t = tanh(wᵀ h_t + b); pooled = Σ_t α_t h_t.

    Weights: `kernel` w `(width, 1)`, `bias` b `(1,)`.

    Reference: Raffel & Ellis, 2015 (feed-forward attention), equation 1.
    """

    @override
    def build(self, states_shape: Shape) -> None:
        self.kernel = self.add_matrix("kernel", states_shape[-1], 1)
        self.bias = self.add_bias("bias", 1)

    @override
    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        return ops.tanh(ops.matmul(states, self.kernel) + self.bias)


@keras.saving.register_keras_serializable(package="limelight")
class PositionalAttention(Attention):
    """Attention with a bias for each position, so that it can learn which positions matter.

    e_t = tanh(wᵀ h_t + b_t); pooled = Σ_t α_t h_t.

    Weights: `kernel` w `(width, 1)`, `bias` b `(max_tokens,)`.

    Args:
        max_tokens: positions with a bias of their own. A shorter batch uses
            the first ones; steps beyond `max_tokens` use the last one.

    Reference: the layer of "Hands-On Guide to Bi-LSTM With Attention", with
    padding masked.
    """

    def __init__(self, *, max_tokens: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_tokens = max_tokens

    @override
    def build(self, states_shape: Shape) -> None:
        self.kernel = self.add_matrix("kernel", states_shape[-1], 1)
        self.bias = self.add_bias("bias", self.max_tokens)

    @override
    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        return ops.tanh(ops.matmul(states, self.kernel) + ops.expand_dims(self._biases(states), 1))

    def _biases(self, states: Tensor) -> Tensor:
        """The bias of each step, `(steps,)`."""
        steps = ops.shape(states)[1]
        if isinstance(steps, int) and steps <= self.max_tokens:  # its gradient is a mere padding
            return self.bias[:steps]
        positions = ops.arange(steps, dtype="int32")
        return ops.take(self.bias, ops.minimum(positions, self.max_tokens - 1))

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_tokens": self.max_tokens}


@keras.saving.register_keras_serializable(package="limelight")
class ContextAttention(Attention):
    """Attention that compares every state with a learned context vector.

    e_t = uᵀ tanh(W h_t + b); pooled = Σ_t α_t h_t.

    Weights: `kernel` Wᵀ `(width, units)`, `bias` b `(units,)`, `context` u
    `(units, 1)`.

    Args:
        units: size of the projected states.

    Reference: Yang et al., NAACL 2016, equations 5-7.
    """

    def __init__(self, *, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    @override
    def build(self, states_shape: Shape) -> None:
        self.kernel = self.add_matrix("kernel", states_shape[-1], self.units)
        self.bias = self.add_bias("bias", self.units)
        self.context = self.add_matrix("context", self.units, 1)

    @override
    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        return ops.matmul(ops.tanh(ops.matmul(states, self.kernel) + self.bias), self.context)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="limelight")
class LuongAttention(Attention):
    """Multiplicative attention, with the last state as the query.

    e_t = h_lastᵀ W h_t; pooled = tanh(W_c [c; h_last]), `(batch, units)`.

    Weights: `kernel` W `(width, width)`, `output_kernel` W_cᵀ
    `(2 * width, units)`, whose first `width` rows multiply the context. No biases.

    Args:
        units: size of the pooled vector.

    Reference: Luong et al., EMNLP 2015, equations 5 and 8 ("general"), with
    the last state as the query, as in the package keras-attention.
    """

    def __init__(self, *, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    @override
    def build(self, states_shape: Shape) -> None:
        width = states_shape[-1]
        self.kernel = self.add_matrix("kernel", width, width)
        self.output_kernel = self.add_matrix("output_kernel", 2 * width, self.units)

    @override
    def energies(self, states: Tensor, final: Tensor) -> Tensor:
        query = ops.matmul(final, self.kernel)  # (batch, width)
        return ops.matmul(states, ops.expand_dims(query, 2))

    @override
    def finish(self, context: Tensor, final: Tensor) -> Tensor:
        if self.return_sequences:
            final = ops.broadcast_to(ops.expand_dims(final, 1), ops.shape(context))
        return ops.tanh(ops.matmul(ops.concatenate([context, final], -1), self.output_kernel))

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="limelight")
class BahdanauAttention(LuongAttention):
    """Additive attention, with the last state as the query; pooled as in `LuongAttention`.

    e_t = vᵀ tanh(W1 h_last + W2 h_t); pooled = tanh(W_c [c; h_last]),
    `(batch, units)`.

    Weights: `last_kernel` W1ᵀ `(width, width)`, `state_kernel` W2ᵀ
    `(width, width)`, `energy_kernel` v `(width, 1)`, `output_kernel` W_cᵀ
    `(2 * width, units)`, whose first `width` rows multiply the context. No biases.

    Args:
        units: size of the pooled vector.

    Reference: Bahdanau et al., ICLR 2015, appendix A.1.2, with the last state
    as the query and W_c after it, as in the package keras-attention.
    """

    @override
    def build(self, states_shape: Shape) -> None:
        width = states_shape[-1]
        self.last_kernel = self.add_matrix("last_kernel", width, width)
        self.state_kernel = self.add_matrix("state_kernel", width, width)
        self.energy_kernel = self.add_matrix("energy_kernel", width, 1)
        self.output_kernel = self.add_matrix("output_kernel", 2 * width, self.units)

    @override
    def energies(self, states: Tensor, final: Tensor) -> Tensor:
        query = ops.expand_dims(ops.matmul(final, self.last_kernel), 1)  # (batch, 1, width)
        return ops.matmul(
            ops.tanh(query + ops.matmul(states, self.state_kernel)), self.energy_kernel
        )


@keras.saving.register_keras_serializable(package="limelight")
class MultiheadAttention(Attention):
    """Structured self-attention: several learned queries, each with its own softmax.

    e_tk = q_kᵀ tanh(W h_t); pooled = [c_1; ...; c_heads],
    `(batch, heads * width)`, where c_k = Σ_t α_tk h_t. The returned weight of
    a step is the mean of its heads' weights. The paper's penalty on heads
    that look at the same words is not applied.

    Weights: `kernel` W_s1ᵀ `(width, units)`, `queries` W_s2ᵀ `(units, heads)`.

    Args:
        units: size of the projected states (d_a in the paper).
        heads: number of queries (r in the paper).

    Reference: Lin et al., ICLR 2017, equations 6-7.
    """

    def __init__(self, *, units: int, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.heads = heads

    @override
    def build(self, states_shape: Shape) -> None:
        self.kernel = self.add_matrix("kernel", states_shape[-1], self.units)
        self.queries = self.add_matrix("queries", self.units, self.heads)

    @override
    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        return ops.matmul(ops.tanh(ops.matmul(states, self.kernel)), self.queries)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "heads": self.heads}


# The layer of each `network.attention.kind`: attention first, then pooling without attention.
KINDS: dict[str, type[keras.layers.Layer]] = {
    "zhou": ZhouAttention,
    "dense": DenseAttention,
    "positional": PositionalAttention,
    "context": ContextAttention,
    "luong": LuongAttention,
    "bahdanau": BahdanauAttention,
    "multihead": MultiheadAttention,
    "none": FinalPooling,
    "max": MaxPooling,
    "mean": MeanPooling,
    "last": LastPooling,
}
