"""The attention family and its controls, for the folded engine.

Counterparts of the layers of `model.layers.attention` and `model.layers.pooling`, which hold
the equations and their sources, class by class. Here the documents of a tile
lie end to end, without padding steps, and the units that fill up a state to
whole registers are 0, as are the weights they meet.
"""

import numpy as np

from model.config import NetworkConfig
from model.folded.kernels import COLUMNS, dot_rows, project
from model.folded.layout import Tile, Weights, Width, as_vectors, split_columns
from model.runtime.compilation import compiled


def one_group(lines: np.ndarray) -> np.ndarray:
    """For `dot_rows` and `project`: all lines share the first group of vectors or bias."""
    return np.zeros(len(lines), np.int64)


class Pooling:
    """What becomes of the states of a tile.

    Args:
        weights: of the network's layer.
        width: of the states of one direction.
        config: of the network.

    Call arguments:
        states: float32 `(tokens, width)`.
        final: float32 `(rows, width)`: what each direction ends with.
        tile: where the documents lie.

    Returns:
        `(pooled, weights)`: float32, one line a document, or a token where the
        sequence is kept; and float32 `(tokens,)`.

    Attributes:
        output: how the columns of `pooled` are filled up.
    """

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        self.output = width

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pools; shapes in the class docstring."""
        raise NotImplementedError


class FinalPooling(Pooling):
    """Counterpart of `model.layers.pooling.FinalPooling`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.share_of_last = 0.5 if config.lstm.bidirectional else 1.0

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Takes what each direction ends with."""
        weights = np.zeros(len(states), np.float32)
        weights[tile.lasts] = self.share_of_last
        weights[tile.starts] += 1 - self.share_of_last
        return final, weights


class LastPooling(Pooling):
    """Counterpart of `model.layers.pooling.LastPooling`."""

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Takes the last token's state."""
        weights = np.zeros(len(states), np.float32)
        weights[tile.lasts] = 1
        return states[tile.lasts], weights


class MeanPooling(Pooling):
    """Counterpart of `model.layers.pooling.MeanPooling`."""

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Averages the states."""
        weights = np.repeat((1 / tile.lengths).astype(np.float32), tile.lengths)
        return sum_weighted(states, weights[:, None], tile.starts, tile.lengths), weights


class MaxPooling(Pooling):
    """Counterpart of `model.layers.pooling.MaxPooling`."""

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Takes each unit's largest value."""
        pooled, winners = take_largest(states, tile.starts, tile.lengths)
        real = np.arange(states.shape[1]) % self.output.padded < self.output.units
        weights = np.bincount(winners[:, real].ravel(), minlength=len(states)) / real.sum()
        return pooled, weights.astype(np.float32)


class Attention(Pooling):
    """What all kinds of attention share; counterpart of `model.layers.attention.Attention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.keep_sequence = config.attention.return_sequences

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """The energy of every token, float32 `(tokens, heads)`."""
        raise NotImplementedError

    def finish(self, context: np.ndarray, final: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """What becomes of the context, whose line i belongs to document `rows[i]`."""
        return context

    def __call__(
        self, states: np.ndarray, final: np.ndarray, tile: Tile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weighs the states and, unless their sequence is kept, adds them up."""
        shares = self.energies(states, final, tile)
        softmax_within(shares, tile.starts, tile.lengths)
        if self.keep_sequence:
            context = (shares[:, :, None] * states[:, None, :]).reshape(len(states), -1)
            pooled = self.finish(context, final, tile.row_of_token)
        else:
            context = sum_weighted(states, shares, tile.starts, tile.lengths)
            pooled = self.finish(context, final, tile.rows)
        return pooled, shares.mean(axis=1)


class ZhouAttention(Attention):
    """Counterpart of `model.layers.attention.ZhouAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.query = as_vectors(width.pad_rows(weights["kernel"]))

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """wᵀ tanh(h_t)."""
        return dot_rows(states, self.query, one_group(states), True)

    def finish(self, context: np.ndarray, final: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """tanh(c)."""
        return np.tanh(context)


class DenseAttention(Attention):
    """Counterpart of `model.layers.attention.DenseAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.query = as_vectors(width.pad_rows(weights["kernel"]))
        self.bias = weights["bias"]

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """tanh(wᵀ h_t + b)."""
        return np.tanh(dot_rows(states, self.query, one_group(states), False) + self.bias)


class PositionalAttention(DenseAttention):
    """Counterpart of `model.layers.attention.PositionalAttention`."""

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """tanh(wᵀ h_t + b_t)."""
        biases = self.bias[tile.position_of_token, None]
        return np.tanh(dot_rows(states, self.query, one_group(states), False) + biases)


class ContextAttention(Attention):
    """Counterpart of `model.layers.attention.ContextAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        inner = Width(config.attention.units, COLUMNS)
        self.kernel = split_columns(inner.pad_columns(width.pad_rows(weights["kernel"])))
        self.bias = inner.pad_rows(weights["bias"])[None]
        self.queries = as_vectors(inner.pad_rows(weights["context"]))

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """uᵀ tanh(W h_t + b), for every u."""
        projected = project(states, self.kernel, self.bias, one_group(states))
        return dot_rows(projected, self.queries, one_group(states), False)


class MultiheadAttention(ContextAttention):
    """Counterpart of `model.layers.attention.MultiheadAttention`: several u, and no b."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        no_bias = np.zeros(config.attention.units, np.float32)
        renamed = {**weights, "bias": no_bias, "context": weights["queries"]}
        super().__init__(renamed, width=width, config=config)


class FinalStateAttention(Attention):
    """What the kinds share that ask with the final state h_last."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.output = Width(config.attention.units, COLUMNS)
        output_kernel = self.output.pad_columns(width.pad_rows(weights["output_kernel"]))
        of_context, of_final = np.split(output_kernel, 2)
        self.context_kernel = split_columns(of_context)
        self.final_kernel = as_vectors(of_final)

    def finish(self, context: np.ndarray, final: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """tanh(W_c [c; h_last])."""
        biases = dot_rows(final, self.final_kernel, one_group(final), False)
        return project(context, self.context_kernel, biases, rows)


class LuongAttention(FinalStateAttention):
    """Counterpart of `model.layers.attention.LuongAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        self.kernel = as_vectors(width.pad_columns(width.pad_rows(weights["kernel"])))

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """h_lastᵀ W h_t."""
        queries = dot_rows(final, self.kernel, one_group(final), False)
        return dot_rows(states, queries[:, None, :], tile.row_of_token, False)


class BahdanauAttention(FinalStateAttention):
    """Counterpart of `model.layers.attention.BahdanauAttention`."""

    def __init__(self, weights: Weights, *, width: Width, config: NetworkConfig) -> None:
        super().__init__(weights, width=width, config=config)
        inner = Width(len(weights["energy_kernel"]), COLUMNS)
        self.last_kernel = as_vectors(inner.pad_columns(width.pad_rows(weights["last_kernel"])))
        self.state_kernel = split_columns(
            inner.pad_columns(width.pad_rows(weights["state_kernel"]))
        )
        self.query = as_vectors(inner.pad_rows(weights["energy_kernel"]))

    def energies(self, states: np.ndarray, final: np.ndarray, tile: Tile) -> np.ndarray:
        """vᵀ tanh(W1 h_last + W2 h_t)."""
        biases = dot_rows(final, self.last_kernel, one_group(final), False)
        projected = project(states, self.state_kernel, biases, tile.row_of_token)
        return dot_rows(projected, self.query, one_group(states), False)


#: `network.attention.kind` -> its counterpart.
KINDS: dict[str, type[Pooling]] = {
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


@compiled
def softmax_within(energies: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> None:
    """Replaces energies `(tokens, heads)` by their softmax over each document's tokens."""
    for row in range(len(starts)):
        for head in range(energies.shape[1]):
            column = energies[starts[row] : starts[row] + lengths[row], head]
            highest = column.max()
            total = np.float32(0)
            for token in range(len(column)):
                column[token] = np.exp(column[token] - highest)
                total += column[token]
            for token in range(len(column)):
                column[token] /= total


@compiled
def sum_weighted(
    states: np.ndarray, weights: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """The weighted sum of each document's states, one head's after the other's.

    Args:
        states: float32 `(tokens, width)`.
        weights: float32 `(tokens, heads)`.
        starts: int64 `(rows,)`.
        lengths: int64 `(rows,)`.

    Returns:
        float32 `(rows, heads * width)`.
    """
    heads, width = weights.shape[1], states.shape[1]
    sums = np.zeros((len(starts), heads, width), np.float32)
    for row in range(len(starts)):
        for token in range(starts[row], starts[row] + lengths[row]):
            for head in range(heads):
                weight = weights[token, head]
                for unit in range(width):
                    sums[row, head, unit] += weight * states[token, unit]
    return sums.reshape(len(starts), heads * width)


@compiled
def take_largest(
    states: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's largest value in a document, and the first token that has it.

    Returns:
        float32 and int64 `(rows, width)`.
    """
    largest = states[starts]
    winners = np.empty(largest.shape, np.int64)
    for row in range(len(starts)):
        winners[row] = starts[row]
        for token in range(starts[row] + 1, starts[row] + lengths[row]):
            for unit in range(states.shape[1]):
                if states[token, unit] > largest[row, unit]:
                    largest[row, unit] = states[token, unit]
                    winners[row, unit] = token
    return largest, winners
