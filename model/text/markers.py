"""The ids of the tokens that mark entities in a text, such as `<e1>` and `</e1>`."""

from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

import pyarrow as pa

from model.config import ConfigError, TextConfig
from model.text.tokenizer import Tokenizer
from model.text.vocabulary import Vocabulary

# For each entity the ids of the tokens before and after it.
Markers: TypeAlias = tuple[tuple[int, int], ...]


def marker_ids(
    entities: Sequence[tuple[str, str]], config: TextConfig, vocabulary: Vocabulary
) -> Markers:
    """Looks up the markers of `network.entities`.

    Raises:
        ConfigError: if a marker is not one token, or the vocabulary does not have it.
    """
    if not entities:
        return ()
    names = list(chain.from_iterable(entities))
    tokens = Tokenizer(config).tokenize(pa.array(names, pa.string()))
    for name, count in zip(names, tokens.counts().tolist(), strict=True):
        if count != 1:
            raise ConfigError(
                f"network.entities: expected markers that are one token each, got {name!r}, which "
                f"is {count}. Add a pattern that matches it to text.protected."
            )
    ids = vocabulary.encode(tokens)
    unknown = vocabulary.is_oov(ids)
    if unknown.any():
        raise ConfigError(
            "network.entities: expected markers of the vocabulary, got "
            f"{names[unknown.argmax()]!r}, which it lacks. Add it to text.reserved_tokens."
        )
    return tuple((int(first), int(last)) for first, last in ids.reshape(-1, 2))


def check_markers(entities: Sequence[tuple[str, str]], config: TextConfig) -> None:
    """Checks markers before there is a vocabulary: each must be a reserved token.

    Raises:
        ConfigError: as `marker_ids` does.
    """
    if entities:
        reserved = dict.fromkeys(Tokenizer(config).fold(config.reserved_tokens))
        vocabulary = Vocabulary(list(reserved), oov_buckets=config.oov_buckets)
        marker_ids(entities, config, vocabulary)
