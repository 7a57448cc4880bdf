"""Compiled loops over the tokens of each document of a tile."""

import numpy as np

from model.runtime.compilation import compiled


@compiled
def softmax_within(energies: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> None:
    """Replaces energies by their softmax over the tokens of each document.

    Args:
        energies: float32 `(tokens, heads)`; overwritten.
        starts: int64 `(rows,)`, each document's first token.
        lengths: int64 `(rows,)`, at least 1.
    """
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
    """The weighted sum of each document's states, the heads' sums side by side.

    Args:
        states: float32 `(tokens, width)`.
        weights: float32 `(tokens, heads)`.
        starts: int64 `(rows,)`, each document's first token.
        lengths: int64 `(rows,)`, at least 1.

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

    Args:
        states: float32 `(tokens, width)`.
        starts: int64 `(rows,)`, each document's first token.
        lengths: int64 `(rows,)`, at least 1.

    Returns:
        The values, float32, and the tokens, int64, both `(rows, width)`.
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


@compiled
def average_between(
    states: np.ndarray,
    ids: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    markers: np.ndarray,
) -> np.ndarray:
    """The mean state between two markers in each document, the means side by side.

    The tokens are those after the first opening marker and before the first closing one.

    Args:
        states: float32 `(tokens, width)`.
        ids: int64 `(tokens,)`.
        starts: int64 `(rows,)`, each document's first token.
        lengths: int64 `(rows,)`, at least 1.
        markers: int64 `(entities, 2)`, the ids of the opening and the closing marker.

    Returns:
        float32 `(rows, entities * width)`; 0 where there is no token between the markers.
    """
    entities, width = len(markers), states.shape[1]
    means = np.zeros((len(starts), entities, width), np.float32)
    for row in range(len(starts)):
        for entity in range(entities):
            opening, closing = markers[entity]
            opened, count = False, 0
            for token in range(starts[row], starts[row] + lengths[row]):
                if ids[token] == closing:
                    break
                if opened:
                    count += 1
                    for unit in range(width):
                        means[row, entity, unit] += states[token, unit]
                elif ids[token] == opening:
                    opened = True
            if count:
                means[row, entity] /= np.float32(count)
    return means.reshape(len(starts), entities * width)
