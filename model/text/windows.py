"""Windows: how the whole of a document longer than the network's `max_tokens` is read.

A document of n tokens, n > L = `max_tokens`, is covered by windows of L tokens. Each begins
half a window after the one before; the last one ends where the document ends. The network gives
probabilities p_w and attention weights a_w for every window w; a_w sums to 1 over the window.
The document's probabilities and attention weights are weighted means

    p = Σ_w g_w p_w,        a_t = Σ_{w ∋ t} g_w a_{w,t},        g_w = e_w / Σ e,

where the evidence e_w measures how far the window's probabilities are from uniform, in nats. 10⁻⁶
is added to it, so that a document gets the plain mean if the probabilities of all its windows are
uniform. For probabilities over K labels

    e_w = KL(p_w ‖ uniform) = log K + Σ_k p_wk log p_wk,

and with independent labels (`multilabel`) e_w is the sum of KL((p_wk, 1 - p_wk) ‖ (½, ½)) over the
labels. Since Σ_t a_{w,t} = 1 for every window and Σ_w g_w = 1, the attention weights of the
document are >= 0 and sum to 1. A document that fits into one window gets exactly the network's
result, to the bit.
"""

import dataclasses

import numpy as np

LEAST_EVIDENCE = 1e-6  # nats


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Windows over documents that lie end to end.

    Attributes:
        row_offsets: int64 `(windows + 1,)`, where each window begins in `tokens`.
        tokens: int64 `(window tokens,)`, the index of each among the tokens of all documents.
        rows: int64 `(windows,)`, the document of each window, ascending.
    """

    row_offsets: np.ndarray
    tokens: np.ndarray
    rows: np.ndarray


def cut_windows(row_offsets: np.ndarray, *, max_tokens: int) -> Windows:
    """Covers every document with windows of at most `max_tokens` tokens.

    Args:
        row_offsets: int64 `(rows + 1,)` from 0: where each document begins.
        max_tokens: the size of a window.
    """
    lengths = np.diff(row_offsets)
    step = max(1, max_tokens // 2)
    beyond = np.maximum(lengths - max_tokens, 0)
    counts = 1 + -(-beyond // step)
    rows = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = row_offsets[rows] + np.minimum(number * step, beyond[rows])
    sizes = np.minimum(lengths, max_tokens)[rows]
    window_offsets = np.concatenate([[0], np.cumsum(sizes)])
    position = np.arange(window_offsets[-1]) - np.repeat(window_offsets[:-1], sizes)
    tokens = np.repeat(starts, sizes) + position
    return Windows(row_offsets=window_offsets, tokens=tokens, rows=rows)


def join_windows(
    windows: Windows, probabilities: np.ndarray, attention: np.ndarray, *, exclusive: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Joins the windows' results to those of the documents, by the formula above.

    Args:
        windows: from `cut_windows`.
        probabilities: float32 `(windows, labels)`.
        attention: float32 `(window tokens,)`.
        exclusive: whether a document has exactly one label, so that probabilities sum to 1.

    Returns:
        float32 `(rows, labels)` and float32 `(tokens,)`, in the order of the documents.
    """
    evidence = measure_evidence(probabilities, exclusive=exclusive)
    starts = np.flatnonzero(np.diff(windows.rows, prepend=-1))
    shares = evidence / np.add.reduceat(evidence, starts)[windows.rows]
    joined = np.add.reduceat(shares[:, None] * probabilities, starts)
    weights = np.repeat(shares, np.diff(windows.row_offsets)) * attention
    return joined.astype(np.float32), np.bincount(windows.tokens, weights).astype(np.float32)


def measure_evidence(probabilities: np.ndarray, *, exclusive: bool) -> np.ndarray:
    """How far probabilities are from uniform, in nats, float64 `(rows,)`, above 0.

    Args:
        probabilities: float32 `(rows, labels)`.
        exclusive: whether a document has exactly one label, so that probabilities sum to 1.
    """
    known = np.clip(probabilities.astype(np.float64), 1e-12, 1)
    if exclusive:
        divergence = np.log(known.shape[1]) + (known * np.log(known)).sum(axis=1)
    else:
        unknown = np.clip(1 - known, 1e-12, 1)
        parts = np.log(2) + known * np.log(known) + unknown * np.log(unknown)
        divergence = parts.sum(axis=1)
    return np.maximum(divergence, 0) + LEAST_EVIDENCE
