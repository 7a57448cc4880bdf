"""What each token of a document contributes to the score of its predicted label.

Of labels that exclude each other, the score of a label k is its margin over the others: with the
prediction P = softmax(α log p + β z) of network and wide part,

    log P_k - mean log P_j  =  α (log p_k - mean log p_j)  +  β (z_k - mean z_j),

with the means over the other labels j. Of two labels that is the logarithm of P_k / P_j. The score
of an independent label is its logit, α (log p_k - log(1 - p_k)) + β z_k.

The last term is the wide part's. z is a sum over tokens, bigrams and the bias, so the term is one,
too: the contribution of a token is what its own weight and the n-grams of its characters add to
it, and half of what each bigram adds that the token belongs to. The contributions of all tokens of
a document and that of the bias together are exactly the term, whatever the network says.
"""

import dataclasses
from typing import Self

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Contributions:
    """The contributions to the scores of documents, and what these tokens leave.

    Attributes:
        tokens: float32 [tokens], the documents end to end.
        rest: float32 [rows], the contribution of the bias and of the tokens of the document that
            `tokens` lacks: the sum of both attributes is the wide part's term.
    """

    tokens: np.ndarray
    rest: np.ndarray

    def keep(self, kept: np.ndarray, row_offsets: np.ndarray) -> Self:
        """Leaves tokens out; `rest` then has their contributions.

        Args:
            kept: bool [tokens].
            row_offsets: int64 [rows + 1], of the tokens before any is left out.
        """
        rows = np.repeat(np.arange(len(self.rest)), np.diff(row_offsets))
        left_out = np.bincount(rows[~kept], self.tokens[~kept], minlength=len(self.rest))
        return dataclasses.replace(
            self, tokens=self.tokens[kept], rest=(self.rest + left_out).astype(np.float32)
        )
