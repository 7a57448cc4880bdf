"""Rationales: the character spans a person marked, as a mask over tokens."""

import numpy as np
import pyarrow as pa

from model.text.tokenizer import Tokens


def mark_tokens(tokens: Tokens, rationales: pa.ListArray) -> np.ndarray:
    """Marks the tokens that a span overlaps.

    Args:
        tokens: of some rows.
        rationales: a list of `{start, end}` character spans a row, or null.

    Returns:
        int64 `(tokens,)`: 1 where a token shares a character with a span of its row.
    """
    return _mark(tokens.row_offsets, tokens.starts, tokens.ends, rationales)


def attention_on_rationales(predictions: pa.RecordBatch, rationales: pa.ListArray) -> np.ndarray:
    """How much of each prediction's attention falls on the marked tokens.

    Args:
        predictions: a predictions batch with full attention.
        rationales: the spans of the same documents, in the same order.

    Returns:
        float64 `(rows,)`, between 0 and 1.
    """
    attention = predictions.column("attention")
    starts, ends = (
        predictions.column(name).flatten().to_numpy() for name in ("token_starts", "token_ends")
    )
    offsets = np.concatenate([[0], np.cumsum(attention.value_lengths().to_numpy())])
    marked = _mark(offsets, starts, ends, rationales)
    rows = np.repeat(np.arange(len(attention)), np.diff(offsets))
    weights = attention.flatten().to_numpy() * marked
    return np.bincount(rows, weights, minlength=len(attention))


def _mark(
    row_offsets: np.ndarray, starts: np.ndarray, ends: np.ndarray, rationales: pa.ListArray
) -> np.ndarray:
    rows = np.repeat(np.arange(len(rationales)), np.diff(row_offsets))
    spans = rationales.flatten()
    span_rows = rationales.value_parent_indices().to_numpy()
    span_starts = spans.field("start").to_numpy().astype(np.int64)
    span_ends = spans.field("end").to_numpy().astype(np.int64)
    # One number orders a position within its row and the rows among each other.
    width = 1 + max(int(ends.max(initial=0)), int(span_ends.max(initial=0)))
    first = np.searchsorted(rows * width + ends, span_rows * width + span_starts, "right")
    last = np.searchsorted(rows * width + starts, span_rows * width + span_ends, "left")
    overlapping = last > first
    steps = np.zeros(len(rows) + 1, np.int64)
    np.add.at(steps, first[overlapping], 1)
    np.add.at(steps, last[overlapping], -1)
    return (np.cumsum(steps[:-1]) > 0).astype(np.int64)
