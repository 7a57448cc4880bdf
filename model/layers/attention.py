"""The attention family: one vector from a padded sequence of states, and one weight a token.

Every kind gives each step t an energy e_t, turns the energies into weights
α = softmax(e) over the real steps, and sums the states by weight into a
context c = Σ_t α_t h_t. The kinds differ in the energy and in what becomes of
the context. In the equations h_t is a state, n the number of real steps,
h_last what the directions of the LSTM end with (the `final` of
`model.layers.bilstm.BiLSTM`); in shapes `width` is the size of a state.
"""

from typing import Any

import keras
from keras import ops

from model.layers.pooling import FinalPooling, LastPooling, MaxPooling, MeanPooling
from model.layers.sequences import Shape, Tensor, masked_softmax, weighted_sum


class Attention(keras.layers.Layer):
    """What all kinds of attention share: from energies to `(pooled, weights)`.

    A kind defines `energies` and, where the context is not yet the result,
    `finish`.

    Call arguments:
        states: float tensor `(batch, steps, width)`.
        mask: bool tensor `(batch, steps)`, True at real steps.
        final: float tensor `(batch, width)`; read by `LuongAttention` and
            `BahdanauAttention` alone, which require it.

    Returns:
        `(pooled, weights)`. Weights are `(batch, steps)`, at least 0, exactly
        0 at padding, and sum to 1 over the real steps; they are float32 also
        where the network computes in half precision. A row of padding alone
        gets weights of 0 and a context of 0. `pooled` is `(batch, width)`
        unless the kind says otherwise. With `return_sequences` the sum over
        steps is left out and what follows it is done at every step: `pooled`
        is `(batch, steps, width)`, made of α_t h_t, without meaning at padding.

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
        """The energy of every step, `(batch, steps, heads)`; all kinds but one have one head."""
        raise NotImplementedError

    def finish(self, context: Tensor, final: Tensor | None) -> Tensor:
        """What becomes of the context: here, nothing."""
        return context

    def call(
        self, states: Tensor, mask: Tensor, final: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Pools; shapes in the class docstring."""
        weights = masked_softmax(self.energies(states, final), mask)  # (batch, steps, heads)
        shares = ops.cast(weights, states.dtype)
        # Heads lie side by side in the last axis: head 0's context, head 1's, ...
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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


@keras.saving.register_keras_serializable(package="limelight")
class ZhouAttention(Attention):
    """Attention of the relation classifier of Zhou et al.

    e_t = wᵀ tanh(h_t); pooled = tanh(Σ_t α_t h_t).

    Weights: `kernel` w `(width, 1)`.

    Reference: Zhou et al., ACL 2016, equations 9-12.
    """

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        self.kernel = self.add_matrix("kernel", states_shape[-1], 1)

    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        """wᵀ tanh(h_t)."""
        return ops.matmul(ops.tanh(states), self.kernel)

    def finish(self, context: Tensor, final: Tensor | None) -> Tensor:
        """tanh(c)."""
        return ops.tanh(context)


@keras.saving.register_keras_serializable(package="limelight")
class DenseAttention(Attention):
    """Attention whose energy is a dense layer of one tanh unit.

    e_t = tanh(wᵀ h_t + b); pooled = Σ_t α_t h_t.

    Weights: `kernel` w `(width, 1)`, `bias` b `(1,)`.

    Reference: Raffel & Ellis, 2015 (feed-forward attention), equation 1.
    """

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        self.kernel = self.add_matrix("kernel", states_shape[-1], 1)
        self.bias = self.add_bias("bias", 1)

    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        """tanh(wᵀ h_t + b)."""
        return ops.tanh(ops.matmul(states, self.kernel) + self.bias)


@keras.saving.register_keras_serializable(package="limelight")
class PositionalAttention(Attention):
    """Attention with one bias a position: it learns where to look as well as at what.

    e_t = tanh(wᵀ h_t + b_t); pooled = Σ_t α_t h_t.

    Weights: `kernel` w `(width, 1)`, `bias` b `(max_tokens,)`.

    Args:
        max_tokens: positions with a bias of their own; a shorter batch uses
            the first of them, and steps beyond them share the last.

    Reference: the layer of "Hands-On Guide to Bi-LSTM With Attention", with
    padding masked.
    """

    def __init__(self, *, max_tokens: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_tokens = max_tokens

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        self.kernel = self.add_matrix("kernel", states_shape[-1], 1)
        self.bias = self.add_bias("bias", self.max_tokens)

    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        """tanh(wᵀ h_t + b_t)."""
        positions = ops.arange(ops.shape(states)[1], dtype="int32")
        bias = ops.take(self.bias, ops.minimum(positions, self.max_tokens - 1))
        return ops.tanh(ops.matmul(states, self.kernel) + ops.expand_dims(bias, 1))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "max_tokens": self.max_tokens}


@keras.saving.register_keras_serializable(package="limelight")
class ContextAttention(Attention):
    """Attention with a learned context vector, "what is the informative word?".

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

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        self.kernel = self.add_matrix("kernel", states_shape[-1], self.units)
        self.bias = self.add_bias("bias", self.units)
        self.context = self.add_matrix("context", self.units, 1)

    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        """uᵀ tanh(W h_t + b)."""
        return ops.matmul(ops.tanh(ops.matmul(states, self.kernel) + self.bias), self.context)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="limelight")
class LuongAttention(Attention):
    """Multiplicative attention of the last state to all states.

    e_t = h_lastᵀ W h_t; pooled = tanh(W_c [c; h_last]), `(batch, units)`.

    Weights: `kernel` W `(width, width)`, `output_kernel` W_cᵀ
    `(2 * width, units)`, whose first `width` rows meet the context. No biases.

    Args:
        units: size of the pooled vector.

    Reference: Luong et al., EMNLP 2015, equations 5 and 8 ("general"), with
    the last state as the query, as in the package keras-attention.
    """

    def __init__(self, *, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        width = states_shape[-1]
        self.kernel = self.add_matrix("kernel", width, width)
        self.output_kernel = self.add_matrix("output_kernel", 2 * width, self.units)

    def energies(self, states: Tensor, final: Tensor) -> Tensor:
        """h_lastᵀ W h_t."""
        query = ops.matmul(final, self.kernel)  # (batch, width)
        return ops.matmul(states, ops.expand_dims(query, 2))

    def finish(self, context: Tensor, final: Tensor) -> Tensor:
        """tanh(W_c [c; h_last])."""
        if self.return_sequences:
            final = ops.broadcast_to(ops.expand_dims(final, 1), ops.shape(context))
        return ops.tanh(ops.matmul(ops.concatenate([context, final], -1), self.output_kernel))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="limelight")
class BahdanauAttention(LuongAttention):
    """Additive attention of the last state to all states; finished as Luong's is.

    e_t = vᵀ tanh(W1 h_last + W2 h_t); pooled = tanh(W_c [c; h_last]),
    `(batch, units)`.

    Weights: `last_kernel` W1ᵀ `(width, width)`, `state_kernel` W2ᵀ
    `(width, width)`, `energy_kernel` v `(width, 1)`, `output_kernel` W_cᵀ
    `(2 * width, units)`, whose first `width` rows meet the context. No biases.

    Args:
        units: size of the pooled vector.

    Reference: Bahdanau et al., ICLR 2015, appendix A.1.2, with the last state
    as the query and W_c after it, as in the package keras-attention.
    """

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        width = states_shape[-1]
        self.last_kernel = self.add_matrix("last_kernel", width, width)
        self.state_kernel = self.add_matrix("state_kernel", width, width)
        self.energy_kernel = self.add_matrix("energy_kernel", width, 1)
        self.output_kernel = self.add_matrix("output_kernel", 2 * width, self.units)

    def energies(self, states: Tensor, final: Tensor) -> Tensor:
        """vᵀ tanh(W1 h_last + W2 h_t)."""
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

    def build(self, states_shape: Shape) -> None:
        """Creates the weights; `states_shape` is `(batch, steps, width)`."""
        self.kernel = self.add_matrix("kernel", states_shape[-1], self.units)
        self.queries = self.add_matrix("queries", self.units, self.heads)

    def energies(self, states: Tensor, final: Tensor | None) -> Tensor:
        """q_kᵀ tanh(W h_t) for every head k."""
        return ops.matmul(ops.tanh(ops.matmul(states, self.kernel)), self.queries)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units, "heads": self.heads}


#: `network.attention.kind` -> its layer: attention, then the controls.
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
