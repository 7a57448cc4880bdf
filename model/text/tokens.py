"""The tokens of a batch of texts, in flat arrays."""

import dataclasses

import numpy as np
import pyarrow as pa

from model.text.cutting import Cut, mark_kept
from model.text.string_buffers import build_strings
from model.text.tokenizer_kernel import copy_slices


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tokens:
    """The tokens of a batch of texts, without a Python object for each token.

    Attributes:
        row_offsets: int64 [rows + 1]; the tokens of row i are those from `row_offsets[i]`
            up to `row_offsets[i + 1]`.
        starts: int32 [tokens], in characters (code points) of the row's text.
        ends: int32 [tokens], so that `text[start:end]` is the token as written.
        text_bytes: uint8, the UTF-8 of all texts.
        byte_starts: int32 [tokens], positions in `text_bytes`.
        byte_ends: int32 [tokens].
        folded_bytes: uint8, the UTF-8 of all tokens in folded form, which the vocabulary uses.
        folded_offsets: int32 [tokens + 1], where each token begins in `folded_bytes`.
    """

    row_offsets: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    text_bytes: np.ndarray
    byte_starts: np.ndarray
    byte_ends: np.ndarray
    folded_bytes: np.ndarray
    folded_offsets: np.ndarray

    def __len__(self) -> int:
        """How many tokens all rows together have."""
        return len(self.starts)

    def counts(self) -> np.ndarray:
        """How many tokens each row has, int32 [rows]."""
        return np.diff(self.row_offsets).astype(np.int32)

    def surfaces(self) -> pa.ListArray:
        """The tokens exactly as written in the text, list<string> [rows]."""
        surfaces = copy_slices(self.text_bytes, self.byte_starts, self.byte_ends)
        return self.by_row(build_strings(*surfaces))

    def folded(self) -> pa.ListArray:
        """The tokens in folded form, which the vocabulary uses, list<string> [rows]."""
        return self.by_row(build_strings(self.folded_bytes, self.folded_offsets))

    def by_row(self, values: pa.Array | np.ndarray) -> pa.ListArray:
        """Values of all tokens, such as `starts` or ids, as one list for each row."""
        return pa.ListArray.from_arrays(pa.array(self.row_offsets, pa.int32()), pa.array(values))

    def cut(self, max_tokens: int, how: Cut) -> tuple["Tokens", np.ndarray]:
        """Cuts every row to at most `max_tokens` tokens.

        Args:
            max_tokens: the most tokens that a row may keep.
            how: which tokens are kept, as in `mark_kept`.

        Returns:
            The tokens that are kept, and how many each row lost, int32 [rows].
        """
        counts = self.counts()
        dropped = np.maximum(counts - max_tokens, 0)
        if not dropped.any():
            return self, dropped
        kept = counts - dropped
        row_offsets = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
        index = np.flatnonzero(mark_kept(kept, dropped, how))
        folded_bytes, folded_offsets = copy_slices(
            self.folded_bytes, self.folded_offsets[index], self.folded_offsets[index + 1]
        )
        tokens = Tokens(
            row_offsets=row_offsets,
            starts=self.starts[index],
            ends=self.ends[index],
            text_bytes=self.text_bytes,
            byte_starts=self.byte_starts[index],
            byte_ends=self.byte_ends[index],
            folded_bytes=folded_bytes,
            folded_offsets=folded_offsets,
        )
        return tokens, dropped
