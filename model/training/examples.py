"""The documents of one split, in memory."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """The documents of one split, encoded; row `i` of every array is the same document.

    Attributes:
        ids: the token ids of all documents end to end, without padding, int32 `(tokens,)`. They may
            be mapped from a file.
        row_offsets: where each document begins in `ids`, int64 `(rows + 1,)`.
        labels: int64 `(rows,)` label indices, or `(rows, labels)` multi-hot.
        weights: how much each document counts in the loss, float32 `(rows,)`.
    """

    ids: np.ndarray
    row_offsets: np.ndarray
    labels: np.ndarray
    weights: np.ndarray

    @property
    def rows(self) -> int:
        """The number of documents."""
        return len(self.row_offsets) - 1

    def slice(self, start: int, stop: int) -> "Examples":
        """The documents from `start` to before `stop`, without copying their arrays."""
        tokens = slice(self.row_offsets[start], self.row_offsets[stop])
        return Examples(
            ids=self.ids[tokens],
            row_offsets=self.row_offsets[start : stop + 1] - self.row_offsets[start],
            labels=self.labels[start:stop],
            weights=self.weights[start:stop],
        )

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each document, int64 `(rows,)`."""
        return np.diff(self.row_offsets)
