"""The wrong tokens that a step tells the right one from, drawn where tokens are frequent.

The vocabulary is sorted by frequency. The token of rank r of V is drawn with the probability

    p(r) = log((r + 2) / (r + 1)) / log(V + 1),

about as often as it occurs in text (Zipf's law). Draws are repeated until enough different tokens
are found. After n draws, a token is expected among them 1 - (1 - p(r))^n times; the loss divides by
this (`model.training.pretraining.language_model`).
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidates:
    """Different tokens, and how many draws it took to find them.

    Attributes:
        ranks: int64 `(candidates,)`, each at least 0 and below the number of tokens.
        draws: how many; infinite if all tokens are taken, each of which is then expected once.
    """

    ranks: np.ndarray
    draws: float


def draw_candidates(generator: np.random.Generator, *, tokens: int, wanted: int) -> Candidates:
    """Draws different tokens.

    Args:
        generator: the same state gives the same candidates.
        tokens: of the vocabulary.
        wanted: how many; all tokens if there are no more.
    """
    if wanted >= tokens:
        return Candidates(ranks=np.arange(tokens), draws=np.inf)
    drawn = np.empty(0, np.int64)
    while True:
        uniform = generator.random(4 * wanted)
        # If u is uniform in [0, 1), the whole part of (V + 1)^u - 1 has the probabilities p(r).
        more = np.exp(uniform * np.log(tokens + 1)).astype(np.int64) - 1
        drawn = np.concatenate([drawn, np.minimum(more, tokens - 1)])
        _, first = np.unique(drawn, return_index=True)
        if len(first) >= wanted:
            places = np.sort(first)[:wanted]
            return Candidates(ranks=drawn[places], draws=float(places[-1] + 1))
