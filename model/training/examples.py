"""The documents of one split, in memory."""

import dataclasses

import numpy as np

from model.config import SoftLabelsConfig
from model.text.cutting import Cut, mark_kept
from model.training.targets import has_label, mix_targets

# An example holds at most this many of the tokens that were cut, about forty pages. Without a
# limit, one file of millions of tokens among the documents would be one record, which has to fit
# in memory wherever it is written or read.
MAX_CUT_TOKENS = 10_000


def _no_offsets() -> np.ndarray:
    return np.zeros(1, np.int64)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class UnknownTokens:
    """The text of tokens that the vocabulary lacks, without a Python object for each.

    Attributes:
        data: the UTF-8 of all tokens in folded form, uint8.
        offsets: where each begins in `data`, int64 `(tokens + 1,)`.
    """

    data: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, np.uint8))
    offsets: np.ndarray = dataclasses.field(default_factory=_no_offsets)

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self.offsets) - 1

    def slice(self, start: int, stop: int) -> "UnknownTokens":
        """The tokens from `start` to before `stop`; their text is not copied."""
        offsets = self.offsets[start : stop + 1]
        return UnknownTokens(data=self.data[offsets[0] : offsets[-1]], offsets=offsets - offsets[0])

    def filter(self, chosen: np.ndarray) -> "UnknownTokens":
        """The tokens where `chosen`, bool `(tokens,)`, is true."""
        lengths = np.diff(self.offsets)
        data = self.data[np.repeat(chosen, lengths)]
        return UnknownTokens(data=data, offsets=_add_up(lengths[chosen]))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """The documents of one split, encoded; row `i` of every array is the same document.

    `cut_ids` and `unknown` are what the network does not read of a document. They may be left out:
    then no document was cut, and the text of its unknown tokens is not known. Otherwise there is
    one unknown token for every id, of kept and of cut tokens, that stands for unknown tokens.

    Attributes:
        ids: the token ids of all documents end to end, without padding, int32 `(tokens,)`. They may
            be mapped from a file, as the arrays of all cut and all unknown tokens may be.
        row_offsets: where each document begins in `ids`, int64 `(rows + 1,)`.
        labels: int64 `(rows,)` label indices, or `(rows, labels)` multi-hot; `NO_LABEL` where a
            document has only soft labels.
        weights: how much each document counts in the loss, float32 `(rows,)`.
        cut_ids: the ids of the tokens that were cut, in the order of the document, int32.
        cut_offsets: where each document begins in `cut_ids`, int64 `(rows + 1,)`.
        unknown: the tokens that the vocabulary lacks, kept and cut ones, in the order of the
            document.
        unknown_offsets: where each document begins in `unknown`, int64 `(rows + 1,)`.
        soft_labels: the probabilities that a teacher gives to all labels, float32 `(rows, labels)`,
            NaN where a document has none; None if the dataset has none.
    """

    ids: np.ndarray
    row_offsets: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    cut_ids: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, np.int32))
    cut_offsets: np.ndarray = dataclasses.field(default_factory=_no_offsets)
    unknown: UnknownTokens = dataclasses.field(default_factory=UnknownTokens)
    unknown_offsets: np.ndarray = dataclasses.field(default_factory=_no_offsets)
    soft_labels: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Gives every document offsets where the arguments were left out."""
        for name in ("cut_offsets", "unknown_offsets"):
            if len(getattr(self, name)) == 1:
                object.__setattr__(self, name, np.zeros(self.rows + 1, np.int64))

    @property
    def rows(self) -> int:
        """The number of documents."""
        return len(self.row_offsets) - 1

    def slice(self, start: int, stop: int) -> "Examples":
        """The documents from `start` to before `stop`, without copying their tokens."""
        ids, row_offsets = _slice_rows(self.row_offsets, start, stop)
        cut_ids, cut_offsets = _slice_rows(self.cut_offsets, start, stop)
        unknown, unknown_offsets = _slice_rows(self.unknown_offsets, start, stop)
        return Examples(
            ids=self.ids[ids],
            row_offsets=row_offsets,
            labels=self.labels[start:stop],
            weights=self.weights[start:stop],
            cut_ids=self.cut_ids[cut_ids],
            cut_offsets=cut_offsets,
            unknown=self.unknown.slice(unknown.start, unknown.stop),
            unknown_offsets=unknown_offsets,
            soft_labels=None if self.soft_labels is None else self.soft_labels[start:stop],
        )

    def with_labels(self) -> "Examples":
        """The documents that have a hard label, with which metrics can be measured."""
        chosen = has_label(self.labels)
        if chosen.all():
            return self
        lengths, cut_lengths = self.lengths, np.diff(self.cut_offsets)
        unknown_counts = np.diff(self.unknown_offsets)
        return Examples(
            ids=self.ids[np.repeat(chosen, lengths)],
            row_offsets=_add_up(lengths[chosen]),
            labels=self.labels[chosen],
            weights=self.weights[chosen],
            cut_ids=self.cut_ids[np.repeat(chosen, cut_lengths)],
            cut_offsets=_add_up(cut_lengths[chosen]),
            unknown=self.unknown.filter(np.repeat(chosen, unknown_counts)),
            unknown_offsets=_add_up(unknown_counts[chosen]),
            soft_labels=None if self.soft_labels is None else self.soft_labels[chosen],
        )

    def targets(self, labels: int, config: SoftLabelsConfig) -> np.ndarray:
        """What every document teaches, float32 `(rows, labels)`; see `mix_targets`.

        Args:
            labels: the number of labels.
            config: how hard and soft labels are mixed.
        """
        return mix_targets(self.labels, self.soft_labels, width=labels, config=config)

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each document that the network reads, int64 `(rows,)`."""
        return np.diff(self.row_offsets)

    def whole_documents(self, cut: Cut) -> tuple[np.ndarray, np.ndarray]:
        """Puts the cut tokens of the documents back where they were.

        Args:
            cut: the dataset's `text.cut`.

        Returns:
            The ids of all tokens in the order of the documents, int32, and where each document
            begins in them, int64 `(rows + 1,)`. Of the tokens that were cut, a document has the
            first `MAX_CUT_TOKENS`.
        """
        if not len(self.cut_ids):
            return self.ids, self.row_offsets
        kept = mark_kept(self.lengths, np.diff(self.cut_offsets), cut)
        ids = np.empty(len(kept), np.int32)
        ids[kept] = self.ids
        ids[np.logical_not(kept, out=kept)] = self.cut_ids
        return ids, self.row_offsets + self.cut_offsets


def join_examples(first: Examples, second: Examples) -> Examples:
    """The documents of both, in memory, those of `first` first.

    If one of them has soft labels, the documents of the other have NaN in their place.
    """
    return Examples(
        ids=np.concatenate([first.ids, second.ids]),
        row_offsets=_join_offsets(first.row_offsets, second.row_offsets),
        labels=np.concatenate([first.labels, second.labels]),
        weights=np.concatenate([first.weights, second.weights]),
        cut_ids=np.concatenate([first.cut_ids, second.cut_ids]),
        cut_offsets=_join_offsets(first.cut_offsets, second.cut_offsets),
        unknown=UnknownTokens(
            data=np.concatenate([first.unknown.data, second.unknown.data]),
            offsets=_join_offsets(first.unknown.offsets, second.unknown.offsets),
        ),
        unknown_offsets=_join_offsets(first.unknown_offsets, second.unknown_offsets),
        soft_labels=_join_soft_labels(first, second),
    )


def _join_soft_labels(first: Examples, second: Examples) -> np.ndarray | None:
    found = [each for each in (first.soft_labels, second.soft_labels) if each is not None]
    if not found:
        return None
    width = found[0].shape[1]
    return np.concatenate(
        [
            np.full((each.rows, width), np.nan, np.float32)
            if each.soft_labels is None
            else each.soft_labels
            for each in (first, second)
        ]
    )


def _join_offsets(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.concatenate([first, first[-1] + second[1:]])


def _add_up(counts: np.ndarray) -> np.ndarray:
    """Where each row begins, int64 `(rows + 1,)`."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _slice_rows(offsets: np.ndarray, start: int, stop: int) -> tuple[slice, np.ndarray]:
    """The values of rows `start` to before `stop`, and where each row begins in them."""
    offsets = offsets[start : stop + 1]
    return slice(int(offsets[0]), int(offsets[-1])), offsets - offsets[0]
