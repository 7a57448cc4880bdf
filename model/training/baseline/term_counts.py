"""How often each document has each word, pair of neighboring words, and run of characters."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from model.training.baseline.token_rows import TokenRows

LONGEST_RUN = 5  # characters

Counts = dict[str, sparse.csr_matrix]  # by split; the columns are the same in all of them


def count_words(splits: Mapping[str, TokenRows], *, tokens: int) -> Counts:
    """Counts float32 `(rows, tokens)`, where `tokens` is how many distinct ones there are."""
    return {
        split: _add_up(rows.row_of_token, rows.numbers, shape=(rows.rows, tokens))
        for split, rows in splits.items()
    }


def count_pairs(splits: Mapping[str, TokenRows], *, tokens: int) -> Counts:
    """Counts float32 `(rows, pairs)`; a column is a pair of neighbors that occurs in `train`."""
    pairs = {split: _pairs(rows, tokens) for split, rows in splits.items()}
    known, columns = np.unique(pairs["train"][1], return_inverse=True)
    counts = {}
    for split, (rows, keys) in pairs.items():
        if split != "train":
            columns = np.searchsorted(known, keys)
            found = np.append(known, -1)[columns] == keys
            rows, columns = rows[found], columns[found]
        counts[split] = _add_up(rows, columns, shape=(splits[split].rows, len(known)))
    return counts


def count_characters(words: Counts, tokens: Sequence[str]) -> Counts:
    """Counts float32 `(rows, runs)` of the runs of 2 to 5 characters within each word.

    A word has a space before and after it, so that its beginning and its end are told from its
    middle. These are the terms of scikit-learn's `char_wb`.

    Args:
        words: of `count_words`.
        tokens: by number.
    """
    runs = _runs_of_tokens(tokens)
    return {split: (counts @ runs).tocsr() for split, counts in words.items()}


def _runs_of_tokens(tokens: Sequence[str]) -> sparse.csr_matrix:
    """How often each token has each run of characters, float32 `(tokens, runs)`."""
    lengths = np.array([len(token) + 2 for token in tokens], np.int64)
    text = " ".join(["", *(f"{token} " for token in tokens)])  # " first  second "
    points = np.frombuffer(text.encode("utf-32-le"), np.int32)
    alphabet, characters = np.unique(points, return_inverse=True)
    token_of = np.repeat(np.arange(len(tokens)), lengths)
    # How many characters each one's token has from there on; none where the token is not known.
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(points))
    left[lengths[token_of] == 2] = 0
    # Runs of n characters are numbered by their first n - 1 characters and their last one.
    numbers, rows, columns, width = characters, [], [], 0
    for length in range(2, LONGEST_RUN + 1):
        size = max(0, len(points) - length + 1)
        keys = numbers[:size] * np.int64(len(alphabet)) + characters[length - 1 :]
        inside = left[:size] >= length
        known, found = np.unique(keys[inside], return_inverse=True)
        numbers = np.zeros(size, np.int64)
        numbers[inside] = found
        rows.append(token_of[:size][inside])
        columns.append(found + width)
        width += len(known)
    return _add_up(np.concatenate(rows), np.concatenate(columns), shape=(len(tokens), width))


def _pairs(rows: TokenRows, tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """The row of every pair of neighbors, and a number for the pair."""
    row_of_token = rows.row_of_token
    inside = row_of_token[1:] == row_of_token[:-1]
    keys = rows.numbers[:-1] * np.int64(tokens) + rows.numbers[1:]
    return row_of_token[1:][inside], keys[inside]


def _add_up(rows: np.ndarray, columns: np.ndarray, *, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The matrix that counts each `(row, column)`, float32; a row's columns are in order."""
    ones = np.ones(len(rows), np.float32)
    counts = sparse.coo_matrix((ones, (rows, columns)), shape=shape).tocsr()
    counts.sum_duplicates()
    return counts
