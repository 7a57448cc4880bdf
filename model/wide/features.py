"""What the wide part reads of a document, and how much each token counts.

A document of T tokens has a feature for every token that occurs in it and one for every pair of
tokens that follow one another, each with the value 1/√T however often it occurs. Each of n
occurrences has an equal share of it, 1/(n √T), so that the sum over tokens is exact. Two tokens
that the vocabulary lacks are the same feature only if they are the same text.

Presence is used rather than counts, because a word that is repeated says little more the second
time (Pang, Lee and Vaithyanathan, 2002); 1/√T gives documents of all lengths about the same norm,
as the norm of TF-IDF vectors does, but without depending on other tokens.
"""

import dataclasses
import secrets

import numpy as np

from model.text.vocabulary_kernel import hash_tokens
from model.wide.documents import WholeDocuments
from model.wide.features_kernel import count_in_documents, find_bigrams

# Of the hash with which features are counted; see `count_in_documents`.
_MULTIPLIER = np.uint64(secrets.randbits(64) | 1)

# Keys of unknown tokens are hashes with this bit; those of known ones are ids, which are smaller.
UNKNOWN_KEY = np.uint64(1 << 63)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TokenFeatures:
    """The features of documents, for each token.

    Attributes:
        unknown: int64 [unknown tokens], the positions of the unknown tokens.
        keys: uint64 [tokens]; two tokens have the same key if they are the same feature.
        shares: float32 [tokens], what the token has of its feature's value.
        bigrams: int64 [tokens], the bucket of the token and the one before it; `NO_BIGRAM` for
            the first token of a document.
        bigram_shares: float32 [tokens].
    """

    unknown: np.ndarray
    keys: np.ndarray
    shares: np.ndarray
    bigrams: np.ndarray
    bigram_shares: np.ndarray


def find_features(
    documents: WholeDocuments, *, first_token_id: int, bigram_bits: int
) -> TokenFeatures:
    """The features of documents.

    Args:
        documents: their tokens.
        first_token_id: lower ids stand for unknown tokens.
        bigram_bits: there are 2**bigram_bits buckets of bigrams.

    Raises:
        ValueError: if the documents do not have as many unknown tokens as texts of them.
    """
    unknown = np.flatnonzero(documents.ids < first_token_id)
    texts = len(documents.unknown_offsets) - 1
    if len(unknown) != texts:
        raise ValueError(
            f"documents: expected the text of each of {len(unknown)} unknown tokens, got {texts}"
        )
    keys = documents.ids.astype(np.uint64)
    keys[unknown] = UNKNOWN_KEY | hash_tokens(documents.unknown_bytes, documents.unknown_offsets)
    bigrams = find_bigrams(documents.ids, documents.row_offsets, bigram_bits)
    lengths = np.diff(documents.row_offsets)
    value = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    return TokenFeatures(
        unknown=unknown,
        keys=keys,
        shares=value / count_in_documents(keys, documents.row_offsets, _MULTIPLIER),
        bigrams=bigrams,
        bigram_shares=value
        / count_in_documents(bigrams.astype(np.uint64), documents.row_offsets, _MULTIPLIER),
    )
