"""Whole documents as numbers of distinct tokens."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from model.text.cutting import Cut
from model.text.vocabulary import Vocabulary
from model.training.examples import Examples, UnknownTokens


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TokenRows:
    """The documents of one split, whole; a number stands for the same token in every split.

    Attributes:
        numbers: of the tokens of all documents, end to end, int64 `(tokens,)`.
        row_offsets: where each document begins in `numbers`, int64 `(rows + 1,)`.
    """

    numbers: np.ndarray
    row_offsets: np.ndarray

    @property
    def rows(self) -> int:
        """The number of documents."""
        return len(self.row_offsets) - 1

    @property
    def row_of_token(self) -> np.ndarray:
        """The row of every token, int64 `(tokens,)`."""
        return np.repeat(np.arange(self.rows), np.diff(self.row_offsets))


def number_tokens(
    splits: Mapping[str, Examples], *, vocabulary: Vocabulary, cut: Cut
) -> tuple[dict[str, TokenRows], list[str]]:
    """Numbers the tokens of all splits, those that the vocabulary lacks among them.

    Args:
        splits: the examples by the name of their split.
        vocabulary: of the dataset.
        cut: the dataset's `text.cut`.

    Returns:
        The documents by split, and the token of each number in folded form. It is empty for the
        ids of padding and of unknown tokens; examples have these ids only where they were written
        without the text of unknown tokens.
    """
    # Arrow finds the distinct ones of millions of strings without a Python object for each.
    texts = pa.chunked_array([_as_strings(each.unknown) for each in splits.values()])
    encoded = texts.combine_chunks().dictionary_encode()
    unknown = encoded.indices.to_numpy().astype(np.int64) + vocabulary.size
    rows, start = {}, 0
    for split, examples in splits.items():
        ids, row_offsets = examples.whole_documents(cut)
        numbers = ids.astype(np.int64)
        end = start + len(examples.unknown)
        if end > start:
            numbers[vocabulary.is_oov(numbers)] = unknown[start:end]
        rows[split] = TokenRows(numbers=numbers, row_offsets=row_offsets)
        start = end
    unnamed = [""] * vocabulary.first_token_id
    return rows, [*unnamed, *vocabulary.tokens, *encoded.dictionary.to_pylist()]


def _as_strings(tokens: UnknownTokens) -> pa.Array:
    offsets, data = (
        pa.py_buffer(np.ascontiguousarray(each)) for each in (tokens.offsets, tokens.data)
    )
    return pa.LargeStringArray.from_buffers(len(tokens), offsets, data)
