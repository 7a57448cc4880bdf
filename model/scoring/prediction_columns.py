"""Assembles the columns of predictions over flat arrays.

Tokens, probabilities and attention weights are flat arrays with row offsets. The Arrow lists
are made over them without a Python object for each token.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from model.wide.contributions import Contributions


def assemble_predictions(
    texts: pa.StringArray,
    *,
    labels: Sequence[str],
    probabilities: np.ndarray,
    row_offsets: np.ndarray,
    tokens: pa.StringArray,
    starts: np.ndarray,
    ends: np.ndarray,
    attention: np.ndarray,
    contributions: Contributions | None,
    truncated: np.ndarray,
    oov_tokens: np.ndarray,
) -> pa.RecordBatch:
    """The columns from `label` to `text_sha256` of predictions, over flat arrays.

    Args:
        texts: `rows` texts.
        labels: names, by index.
        probabilities: float32 `(rows, labels)`.
        row_offsets: `(rows + 1,)`; row i has the tokens `row_offsets[i]` to `row_offsets[i + 1]`.
        tokens: every token as written in its text.
        starts: int32 `(tokens,)`, in characters.
        ends: int32 `(tokens,)`, in characters.
        attention: float32 `(tokens,)`.
        contributions: of the wide part, for the labels with the highest probability; None if the
            model has none, which then has no columns of it.
        truncated: int `(rows,)`, the number of tokens that were cut.
        oov_tokens: int `(rows,)`, the number of tokens that are not in the vocabulary.
    """
    rows = len(texts)
    best = probabilities.argmax(axis=1).astype(np.int32)
    offsets = pa.array(row_offsets.astype(np.int32))
    label_offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * len(labels))
    return pa.record_batch(
        {
            "label": pa.array(labels, pa.string()).take(pa.array(best)),
            "label_index": pa.array(best),
            "score": pa.array(probabilities[np.arange(rows), best]),
            "probabilities": pa.ListArray.from_arrays(
                label_offsets, pa.array(probabilities.ravel())
            ),
            "tokens": pa.ListArray.from_arrays(offsets, tokens),
            "token_starts": pa.ListArray.from_arrays(offsets, pa.array(starts)),
            "token_ends": pa.ListArray.from_arrays(offsets, pa.array(ends)),
            "attention": pa.ListArray.from_arrays(offsets, pa.array(attention)),
            **_wide_columns(contributions, offsets),
            "token_count": pa.array(np.diff(row_offsets).astype(np.int32)),
            "truncated_tokens": pa.array(truncated.astype(np.int32)),
            "oov_tokens": pa.array(oov_tokens.astype(np.int32)),
            "text_sha256": sha256_of_texts(texts),
        }
    )


def _wide_columns(contributions: Contributions | None, offsets: pa.Array) -> dict[str, pa.Array]:
    if contributions is None:
        return {}
    return {
        "contributions": pa.ListArray.from_arrays(offsets, pa.array(contributions.tokens)),
        "contributions_rest": pa.array(contributions.rest),
    }


def sha256_of_texts(texts: pa.StringArray) -> pa.StringArray:
    """SHA-256 of each text's UTF-8 bytes, hexadecimal."""
    return pa.array([hashlib.sha256(text.as_buffer()).hexdigest() for text in texts], pa.string())
