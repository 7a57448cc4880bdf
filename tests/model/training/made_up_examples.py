"""Examples in which one token decides the label and the others are random."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from model.training.examples import Examples, UnknownTokens

MAX_TOKENS = 8
IDS = 30  # rows of the embedding
LABELS = ("even", "odd")


def make_examples(
    rows: int,
    *,
    seed: int = 1,
    max_tokens: int = MAX_TOKENS,
    weights: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Examples:
    """Documents of 2 to `max_tokens` tokens; `weights` makes their weights from their labels."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, max_tokens + 1, rows)
    labels = rng.integers(0, 2, rows)
    row_offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = rng.integers(4, IDS, row_offsets[-1]).astype(np.int32)
    ids[row_offsets[:-1] + rng.integers(0, lengths)] = 2 + labels
    return Examples(
        ids=ids,
        row_offsets=row_offsets,
        labels=labels,
        weights=np.ones(rows, np.float32) if weights is None else weights(labels).astype("float32"),
    )


def unknown_tokens(tokens: Sequence[bytes]) -> UnknownTokens:
    return UnknownTokens(
        data=np.frombuffer(b"".join(tokens), np.uint8),
        offsets=np.cumsum([0, *map(len, tokens)]),
    )


def texts_of(tokens: UnknownTokens) -> list[bytes]:
    data = tokens.data.tobytes()
    return [data[start:end] for start, end in itertools.pairwise(tokens.offsets.tolist())]
