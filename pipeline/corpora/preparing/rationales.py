"""Rationales: the character spans that annotators marked, as a mask over tokens."""

import numpy as np
import pyarrow as pa

from model.text.tokenizer import Tokens


def mark_tokens(tokens: Tokens, rationales: pa.ListArray) -> np.ndarray:
    """Marks the tokens that a span overlaps.

    Args:
        tokens: the tokens of some rows.
        rationales: for each row a list of `{start, end}` character spans, or null.

    Returns:
        int64 `(tokens,)`: 1 where a token shares a character with a span of its row.
    """
    return _mark_spans(tokens.row_offsets, tokens.starts, tokens.ends, rationales)


def attention_on_rationales(predictions: pa.RecordBatch, rationales: pa.ListArray) -> np.ndarray:
    """The share of each prediction's attention that falls on the marked tokens.

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
    marked = _mark_spans(offsets, starts, ends, rationales)
    rows = np.repeat(np.arange(len(attention)), np.diff(offsets))
    weights = attention.flatten().to_numpy() * marked
    return np.bincount(rows, weights, minlength=len(attention))


def _mark_spans(
    row_offsets: np.ndarray, starts: np.ndarray, ends: np.ndarray, rationales: pa.ListArray
) -> np.ndarray:
    rows = np.repeat(np.arange(len(rationales)), np.diff(row_offsets))
    spans = rationales.flatten()
    span_rows = rationales.value_parent_indices().to_numpy()
    span_starts = spans.field("start").to_numpy().astype(np.int64)
    span_ends = spans.field("end").to_numpy().astype(np.int64)
    # `row * width + position` puts the positions of all rows into one sorted sequence.
    width = 1 + max(int(ends.max(initial=0)), int(span_ends.max(initial=0)))
    first = np.searchsorted(rows * width + ends, span_rows * width + span_starts, "right")
    last = np.searchsorted(rows * width + starts, span_rows * width + span_ends, "left")
    overlapping = last > first
    # +1 at the first token of a span and -1 after its last one: the running sum at a token is the
    # number of spans that overlap it.
    steps = np.zeros(len(rows) + 1, np.int64)
    np.add.at(steps, first[overlapping], 1)
    np.add.at(steps, last[overlapping], -1)
    return (np.cumsum(steps[:-1]) > 0).astype(np.int64)
