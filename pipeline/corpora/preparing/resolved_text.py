"""The text section of a config with numbers in place of `auto`: chosen by the survey's counts."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from model.config import ResolvedTextConfig, TextConfig
from model.text.tokens import Tokens
from pipeline.corpora.reading.counts import count_values

# The network reads whole documents of at least this percentage of the training split. The longest
# ones would make all examples longer: their ids are padded to `max_tokens`.
WHOLE_DOCUMENTS_PERCENT = 95

# `max_tokens` is rounded up to a multiple of this, so that a few documents more or less in the
# corpus seldom change it.
MULTIPLE = 8

# Documents of titles and tweets may be longer next month than those of training, and a network
# for 16 tokens is fast.
LEAST_TOKENS = 16

# One core trains about 100 documents of 400 tokens a second with the default network; the time
# grows with the length. Set `max_tokens` to read more of a document.
MOST_TOKENS = 400


def count_lengths(tokens: Tokens) -> dict[str, Any]:
    """Counts documents by their number of tokens; those without a token are rejected later.

    Returns:
        `{"train_lengths": {tokens: documents}}`, nested counts.
    """
    lengths = tokens.counts()
    return {"train_lengths": count_values(pa.array(lengths[lengths > 0]))}


def resolve_text(text: TextConfig, counts: Mapping[str, Any]) -> ResolvedTextConfig:
    """The section with a number for `max_tokens`; a number that was configured stays.

    Args:
        text: as configured.
        counts: the sum of `count_lengths` over all batches.
    """
    max_tokens = text.max_tokens
    if max_tokens == "auto":
        max_tokens = choose_max_tokens(counts.get("train_lengths", {}))
    settings = {field.name: getattr(text, field.name) for field in dataclasses.fields(text)}
    return ResolvedTextConfig(**{**settings, "max_tokens": max_tokens})


def choose_max_tokens(documents: Mapping[str, int]) -> int:
    """The number of tokens that `WHOLE_DOCUMENTS_PERCENT` of the documents do not exceed.

    Args:
        documents: how many documents have each number of tokens.

    Returns:
        the number, rounded up to a multiple of `MULTIPLE`, within `LEAST_TOKENS` and
        `MOST_TOKENS`.
    """
    if not documents:
        return LEAST_TOKENS
    lengths = np.array(sorted(int(length) for length in documents), np.int64)
    not_longer = np.cumsum([documents[str(length)] for length in lengths])
    at = np.searchsorted(100 * not_longer, WHOLE_DOCUMENTS_PERCENT * not_longer[-1])
    rounded = -(-int(lengths[at]) // MULTIPLE) * MULTIPLE
    return min(max(rounded, LEAST_TOKENS), MOST_TOKENS)
