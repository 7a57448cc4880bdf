"""The formula of `model.wide.wide_part`, written again over Python strings."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

MULTIPLIER = 11400714819323198485
START, END = 0x110000, 0x110001


def top_bits(number: int, bits: int) -> int:
    """The highest bits of the product of a number and the multiplier, modulo 2**64."""
    return (number * MULTIPLIER) % 2**64 >> (64 - bits)


def ngrams_of(token: str, bits: int) -> list[int]:
    """The buckets of all n-grams of 2 to 5 characters of a token and its marks."""
    codes = [START, *map(ord, token[:64]), END]
    buckets = []
    for size in range(2, 6):
        for start in range(len(codes) - size + 1):
            state = codes[start]
            for code in codes[start + 1 : start + size]:
                state = (state * MULTIPLIER) % 2**64 ^ code
            buckets.append(top_bits(state, bits))
    return buckets


def reference_logits(
    document: Sequence[str],
    ids: Mapping[str, int],
    weights: Mapping[str, np.ndarray],
) -> np.ndarray:
    """The wide part's logits of one document; tokens that `ids` lacks have the id 1."""
    bits = {name: int(math.log2(len(weights[name]))) for name in ("bigrams", "characters")}
    logits = weights["bias"].astype(np.float64)
    value = 1 / math.sqrt(max(1, len(document)))
    for token in set(document):
        logits = logits + value * weights["tokens"][ids.get(token, 1)]
        for bucket in ngrams_of(token, bits["characters"]):
            logits = logits + value * 0.4 * weights["characters"][bucket]
    numbers = [ids.get(token, 1) for token in document]
    pairs = itertools.pairwise(numbers)
    for bucket in {top_bits((left << 32) + right, bits["bigrams"]) for left, right in pairs}:
        logits = logits + value * weights["bigrams"][bucket]
    return logits


def reference_contributions(
    document: Sequence[str],
    ids: Mapping[str, int],
    weights: Mapping[str, np.ndarray],
    *,
    label: int,
    independent: bool,
) -> tuple[list[float], float]:
    """What each token and the bias contribute to the score of a label, token by token."""
    bits = {name: int(math.log2(len(weights[name]))) for name in ("bigrams", "characters")}
    beta = float(weights["mix"][1])

    def score(logits: np.ndarray) -> float:
        if independent:
            return beta * float(logits[label])
        if len(logits) == 1:
            logits = np.array([0.0, logits[0]])
        others = [float(logit) for index, logit in enumerate(logits) if index != label]
        return beta * (float(logits[label]) - sum(others) / len(others))

    value = 1 / math.sqrt(max(1, len(document)))
    contributions = [0.0] * len(document)
    for place, token in enumerate(document):
        logits = weights["tokens"][ids.get(token, 1)].astype(np.float64)
        for bucket in ngrams_of(token, bits["characters"]):
            logits = logits + 0.4 * weights["characters"][bucket]
        contributions[place] += score(logits) * value / document.count(token)
    numbers = [ids.get(token, 1) for token in document]
    pairs = [
        top_bits((left << 32) + right, bits["bigrams"])
        for left, right in itertools.pairwise(numbers)
    ]
    for place, bucket in enumerate(pairs):
        half = score(weights["bigrams"][bucket]) * value / pairs.count(bucket) / 2
        contributions[place] += half
        contributions[place + 1] += half
    return contributions, score(weights["bias"])
