"""All kinds of attention, for the folded engine.

`model.layers.attention` has the equation and the source of each class. Here the documents of a tile
lie end to end, so there are no padded tokens whose weight must become 0 (in the Keras layers
`model.layers.sequences.masked_softmax` does that). Units are added to a state until it fills whole
registers; these units and their weights are 0.
"""

import numpy as np
from typing_extensions import override

from model.config import AttentionKind, NetworkConfig
from model.folded.document_kernels import softmax_within, sum_weighted
from model.folded.kernels import dot_rows, project
from model.folded.layout import Tile, Width, as_vectors, split_columns
from model.folded.llvm_code import BLOCK_COLUMNS
from model.folded.pooling import (
    FoldedFinalPooling,
    FoldedLastPooling,
    FoldedMaxPooling,
    FoldedMeanPooling,
    FoldedPooling,
)
from model.weights import Weights


def one_group(rows: np.ndarray) -> np.ndarray:
    """Makes all rows use the first group of vectors (`dot_rows`) or the first bias (`project`)."""
    return np.zeros(len(rows), np.int64)


class FoldedAttention(FoldedPooling):
    """The base class of all kinds of attention, like `model.layers.attention.Attention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.keep_sequence = config.attention.return_sequences

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """The energy of every token, float32 `(tokens, heads)`."""
        raise NotImplementedError

    def finish(self, context: np.ndarray, final: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Turns contexts into pooled vectors; row i of both belongs to document `rows[i]`."""
        return context

    @override
    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        weights = self.energies(states, final, tile)
        softmax_within(weights, tile.starts, tile.lengths)
        if self.keep_sequence:
            context = (weights[:, :, None] * states[:, None, :]).reshape(len(states), -1)
            pooled = self.finish(context, final, tile.row_of_token)
        else:
            context = sum_weighted(states, weights, tile.starts, tile.lengths)
            pooled = self.finish(context, final, tile.rows)
        return pooled, weights.mean(axis=1)


class FoldedZhouAttention(FoldedAttention):
    """Computes `model.layers.attention.ZhouAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.query = as_vectors(width.pad_rows(weights["kernel"]))

    @override
    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """wᵀ tanh(h_t)."""
        return dot_rows(states, self.query, one_group(states), True)

    @override
    def finish(self, context: np.ndarray, final: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """tanh(c)."""
        return np.tanh(context)


class FoldedDenseAttention(FoldedAttention):
    """Computes `model.layers.attention.DenseAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.query = as_vectors(width.pad_rows(weights["kernel"]))
        self.bias = weights["bias"]

    @override
    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """tanh(wᵀ h_t + b)."""
        return np.tanh(dot_rows(states, self.query, one_group(states), False) + self.bias)


class FoldedPositionalAttention(FoldedDenseAttention):
    """Computes `model.layers.attention.PositionalAttention`."""

    @override
    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """tanh(wᵀ h_t + b_t)."""
        biases = self.bias[tile.position_of_token, None]
        return np.tanh(dot_rows(states, self.query, one_group(states), False) + biases)


class FoldedContextAttention(FoldedAttention):
    """Computes `model.layers.attention.ContextAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        inner = Width(config.attention.units, BLOCK_COLUMNS)
        self.kernel = split_columns(inner.pad_columns(width.pad_rows(weights["kernel"])))
        self.bias = inner.pad_rows(weights["bias"])[None]
        self.queries = as_vectors(inner.pad_rows(weights["context"]))

    @override
    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """uᵀ tanh(W h_t + b), for every u."""
        projected = project(states, self.kernel, self.bias, one_group(states))
        return dot_rows(projected, self.queries, one_group(states), False)


class FoldedMultiheadAttention(FoldedContextAttention):
    """Computes `model.layers.attention.MultiheadAttention`: with several u and without b."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        no_bias = np.zeros(config.attention.units, np.float32)
        renamed = {**weights, "bias": no_bias, "context": weights["queries"]}
        super().__init__(renamed, width=width, config=config)


class FoldedFinalStateAttention(FoldedAttention):
    """The base class of the kinds whose energy depends on the final state h_last."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.output = Width(config.attention.units, BLOCK_COLUMNS)
        output_kernel = self.output.pad_columns(width.pad_rows(weights["output_kernel"]))
        of_context, of_final = np.split(output_kernel, 2)
        self.context_kernel = split_columns(of_context)
        self.final_kernel = as_vectors(of_final)

    @override
    def finish(self, context: np.ndarray, final: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """tanh(W_c [c; h_last])."""
        biases = dot_rows(final, self.final_kernel, one_group(final), False)
        return project(context, self.context_kernel, biases, rows)


class FoldedLuongAttention(FoldedFinalStateAttention):
    """Computes `model.layers.attention.LuongAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.kernel = as_vectors(width.pad_columns(width.pad_rows(weights["kernel"])))

    @override
    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """h_lastᵀ W h_t."""
        queries = dot_rows(final, self.kernel, one_group(final), False)
        return dot_rows(states, queries[:, None, :], tile.row_of_token, False)


class FoldedBahdanauAttention(FoldedFinalStateAttention):
    """Computes `model.layers.attention.BahdanauAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        inner = Width(len(weights["energy_kernel"]), BLOCK_COLUMNS)
        self.last_kernel = as_vectors(inner.pad_columns(width.pad_rows(weights["last_kernel"])))
        self.state_kernel = split_columns(
            inner.pad_columns(width.pad_rows(weights["state_kernel"]))
        )
        self.query = as_vectors(inner.pad_rows(weights["energy_kernel"]))

    @override
    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """vᵀ tanh(W1 h_last + W2 h_t)."""
        biases = dot_rows(final, self.last_kernel, one_group(final), False)
        projected = project(states, self.state_kernel, biases, tile.row_of_token)
        return dot_rows(projected, self.query, one_group(states), False)


# The class for each `network.attention.kind`.
FOLDED_POOLINGS: dict[AttentionKind, type[FoldedPooling]] = {
    "zhou": FoldedZhouAttention,
    "dense": FoldedDenseAttention,
    "positional": FoldedPositionalAttention,
    "context": FoldedContextAttention,
    "luong": FoldedLuongAttention,
    "bahdanau": FoldedBahdanauAttention,
    "multihead": FoldedMultiheadAttention,
    "none": FoldedFinalPooling,
    "max": FoldedMaxPooling,
    "mean": FoldedMeanPooling,
    "last": FoldedLastPooling,
}
