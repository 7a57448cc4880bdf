"""The compiled loop that divides the wide part's logits among the tokens of a document."""

import numpy as np

from model.runtime.compilation import compiled
from model.wide.features_kernel import NO_BIGRAM


@compiled
def sum_contributions(
    ids: np.ndarray,
    first_token_id: int,
    token_weights: np.ndarray,
    token_sums: np.ndarray,
    unknown_weights: np.ndarray,
    unknown_sums: np.ndarray,
    token_shares: np.ndarray,
    bigrams: np.ndarray,
    bigram_weights: np.ndarray,
    bigram_sums: np.ndarray,
    bigram_shares: np.ndarray,
    row_offsets: np.ndarray,
    columns: np.ndarray,
    own: np.ndarray,
    others: float,
    contributions: np.ndarray,
) -> None:
    """Writes what every token contributes to the score of its document's label.

    Weights w of a feature count `own[row] * w[columns[row]] - others * sum(w)`, times the share
    of the feature. One half of a bigram's count goes to each of its two tokens.

    Args:
        ids: int32 [tokens].
        first_token_id: lower ids stand for unknown tokens.
        token_weights: float32 [ids, columns].
        token_sums: float32 [ids], the sums of the rows of `token_weights`.
        unknown_weights: float32 [unknown tokens, columns], in the order of the tokens.
        unknown_sums: float32 [unknown tokens].
        token_shares: float32 [tokens].
        bigrams: int64 [tokens], from `find_bigrams`.
        bigram_weights: float32 [buckets, columns].
        bigram_sums: float32 [buckets].
        bigram_shares: float32 [tokens].
        row_offsets: int64 [rows + 1].
        columns: int64 [rows].
        own: float32 [rows].
        others: see above.
        contributions: float32 [tokens], is overwritten.
    """
    unknown = 0
    for row in range(row_offsets.size - 1):
        column, weight = columns[row], own[row]
        for position in range(row_offsets[row], row_offsets[row + 1]):
            token = ids[position]
            if token < first_token_id:
                value = weight * unknown_weights[unknown, column] - others * unknown_sums[unknown]
                unknown += 1
            else:
                value = weight * token_weights[token, column] - others * token_sums[token]
            contributions[position] = token_shares[position] * value
            bigram = bigrams[position]
            if bigram != NO_BIGRAM:
                value = weight * bigram_weights[bigram, column] - others * bigram_sums[bigram]
                half = np.float32(0.5) * bigram_shares[position] * value
                contributions[position] += half
                contributions[position - 1] += half
