"""The features of the wide part as sparse matrices, to fit it with."""

import dataclasses

import numpy as np
import pyarrow as pa
from scipy import sparse

from model.config import WideConfig
from model.text.string_buffers import read_strings
from model.text.vocabulary import Vocabulary
from model.wide.documents import WholeDocuments
from model.wide.features import TokenFeatures, find_features
from model.wide.features_kernel import NO_BIGRAM, find_ngrams
from model.wide.wide_part import NGRAM_SCALE


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WideMatrices:
    """The features of documents in three factors.

    The logits of the documents are, with the rows W, B and C of weights and the bias b,

        kinds @ (weight_rows @ W + ngrams @ C) + bigrams @ B + b.

    A kind of token is a token of the vocabulary, or an unknown token with its text. Characters
    belong to kinds, not to documents, so their n-grams cost almost nothing.

    Attributes:
        kinds: float32 `(documents, kinds)`.
        weight_rows: float32 `(kinds, ids)`, the row in W of each kind.
        ngrams: float32 `(kinds, buckets)`, or None without character n-grams.
        bigrams: float32 `(documents, buckets)`.
    """

    kinds: sparse.csr_matrix
    weight_rows: sparse.csr_matrix
    ngrams: sparse.csr_matrix | None
    bigrams: sparse.csr_matrix


def build_matrices(
    documents: WholeDocuments, vocabulary: Vocabulary, config: WideConfig
) -> WideMatrices:
    """Builds the matrices of documents, with tables of the sizes in `config`."""
    features = find_features(
        documents, first_token_id=vocabulary.first_token_id, bigram_bits=config.bigram_bits
    )
    rows = len(documents.row_offsets) - 1
    row_of_token = np.repeat(np.arange(rows), np.diff(documents.row_offsets))
    kind_of_token, ids, first = _find_kinds(documents, features, vocabulary)
    paired = features.bigrams != NO_BIGRAM
    return WideMatrices(
        kinds=_matrix(features.shares, row_of_token, kind_of_token, (rows, len(ids))),
        weight_rows=_matrix(
            np.ones(len(ids), np.float32), np.arange(len(ids)), ids, (len(ids), vocabulary.size)
        ),
        ngrams=(
            None
            if config.character_bits is None
            else _find_ngrams_of_kinds(documents, first, vocabulary, bits=config.character_bits)
        ),
        bigrams=_matrix(
            features.bigram_shares[paired],
            row_of_token[paired],
            features.bigrams[paired],
            (rows, 2**config.bigram_bits),
        ),
    )


def _find_kinds(
    documents: WholeDocuments, features: TokenFeatures, vocabulary: Vocabulary
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The kind of each token; the id of each kind; the first of the unknown tokens of a kind.

    Kinds are the ids of the vocabulary, then the distinct texts of unknown tokens.
    """
    _, first, inverse = np.unique(
        features.keys[features.unknown], return_index=True, return_inverse=True
    )
    kind_of_token = documents.ids.astype(np.int64)
    kind_of_token[features.unknown] = vocabulary.size + inverse
    of_unknown = documents.ids[features.unknown[first]]
    return kind_of_token, np.concatenate([np.arange(vocabulary.size), of_unknown]), first


def _find_ngrams_of_kinds(
    documents: WholeDocuments, first: np.ndarray, vocabulary: Vocabulary, *, bits: int
) -> sparse.csr_matrix:
    """The n-grams of every kind, `NGRAM_SCALE` for each time that one occurs."""
    known, known_first = find_ngrams(*read_strings(pa.array(vocabulary.tokens, pa.string())), bits)
    unknown, unknown_first = find_ngrams(documents.unknown_bytes, documents.unknown_offsets, bits)
    counts = np.concatenate([np.zeros(vocabulary.first_token_id, np.int64), np.diff(known_first)])
    unknown_counts = np.diff(unknown_first)[first]
    places = np.repeat(unknown_first[first], unknown_counts)
    places += np.arange(len(places)) - np.repeat(
        np.cumsum(unknown_counts) - unknown_counts, unknown_counts
    )
    buckets = np.concatenate([known, unknown[places]])
    kinds = np.repeat(np.arange(len(counts) + len(first)), np.append(counts, unknown_counts))
    values = np.full(len(buckets), NGRAM_SCALE)
    return _matrix(values, kinds, buckets, (len(counts) + len(first), 2**bits))


def _matrix(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_matrix:
    """A sparse matrix; values of the same place are added up."""
    return sparse.csr_matrix((values.astype(np.float32), (rows, columns)), shape=shape)
