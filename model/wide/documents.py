"""Whole documents, as the wide part reads them."""

import dataclasses

import numpy as np

from model.text.tokenizer_kernel import copy_slices
from model.text.tokens import Tokens
from model.text.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WholeDocuments:
    """The tokens of documents, before any are cut, end to end.

    Attributes:
        ids: int32 [tokens].
        row_offsets: int64 [rows + 1], from 0.
        unknown_bytes: uint8, the folded UTF-8 of the tokens with an out-of-vocabulary id.
        unknown_offsets: int64 [unknown tokens + 1], where each begins, in the order of the
            documents.
    """

    ids: np.ndarray
    row_offsets: np.ndarray
    unknown_bytes: np.ndarray
    unknown_offsets: np.ndarray


def read_whole_documents(tokens: Tokens, vocabulary: Vocabulary) -> WholeDocuments:
    """The documents of tokenized texts.

    Args:
        tokens: of the texts, none of them cut; rows begin at token 0.
        vocabulary: gives the ids.
    """
    ids = vocabulary.encode(tokens)
    unknown = np.flatnonzero(vocabulary.is_oov(ids))
    unknown_bytes, unknown_offsets = copy_slices(
        tokens.folded_bytes, tokens.folded_offsets[unknown], tokens.folded_offsets[unknown + 1]
    )
    return WholeDocuments(
        ids=ids,
        row_offsets=tokens.row_offsets,
        unknown_bytes=unknown_bytes,
        unknown_offsets=unknown_offsets,
    )
