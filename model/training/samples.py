"""Documents of a split, chosen evenly, so that what is fitted to them stays cheap."""

import numpy as np

from model.training.examples import Examples, UnknownTokens


def spread_rows(rows: int, limit: int) -> np.ndarray:
    """Row numbers, int64 `(min(rows, limit),)`, at even distances and the same in every run."""
    return np.arange(min(rows, limit)) * rows // max(1, min(rows, limit))


def take_examples(examples: Examples, rows: np.ndarray) -> Examples:
    """The documents of some rows, in the order of `rows`."""
    if len(rows) == examples.rows:
        return examples
    ids, row_offsets = _take(examples.ids, examples.row_offsets, rows)
    cut_ids, cut_offsets = _take(examples.cut_ids, examples.cut_offsets, rows)
    numbers, unknown_offsets = _take_numbers(examples.unknown_offsets, rows)
    data, offsets = _take(examples.unknown.data, examples.unknown.offsets, numbers)
    return Examples(
        ids=ids,
        row_offsets=row_offsets,
        labels=examples.labels[rows],
        weights=examples.weights[rows],
        cut_ids=cut_ids,
        cut_offsets=cut_offsets,
        unknown=UnknownTokens(data=data, offsets=offsets),
        unknown_offsets=unknown_offsets,
        soft_labels=None if examples.soft_labels is None else examples.soft_labels[rows],
    )


def _take(values: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """The values of some rows, and where each of these rows begins in them."""
    numbers, taken = _take_numbers(offsets, rows)
    return values[numbers], taken


def _take_numbers(offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the values of some rows are, and where each of these rows begins among them."""
    lengths = offsets[rows + 1] - offsets[rows]
    taken = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(taken[-1]) + np.repeat(offsets[rows] - taken[:-1], lengths), taken
