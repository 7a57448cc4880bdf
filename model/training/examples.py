"""Writes encoded documents as `tf.train.Example`, and parses them.

An example holds `token_ids` int64 `[max_tokens]`, padded with 0 on the right,
`length` int64, `label` int64 (one index, or a multi-hot vector if documents may
have several labels), `document_id` bytes and, where given, `weight` float and
a `rationale` mask int64 `[max_tokens]`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


def encode_examples(
    *,
    token_ids: np.ndarray,
    lengths: np.ndarray,
    labels: np.ndarray,
    document_ids: Sequence[str],
    weights: np.ndarray | None = None,
    rationales: np.ndarray | None = None,
) -> list[bytes]:
    """Serializes documents as examples; equal documents give equal bytes.

    Args:
        token_ids: int64 `(rows, max_tokens)`, padded with 0.
        lengths: int64 `(rows,)`, tokens before the padding.
        labels: int64 `(rows,)` label indices, or `(rows, labels)` multi-hot.
        document_ids: `rows` ids.
        weights: float32 `(rows,)`, if documents are weighted.
        rationales: int64 `(rows, max_tokens)`, 1 at the tokens that a person marked as the reason
            for the label.
    """
    from tensorflow.core.example import example_pb2

    serialized = []
    for row, document_id in enumerate(document_ids):
        example = example_pb2.Example()
        feature = example.features.feature
        feature["token_ids"].int64_list.value.extend(token_ids[row].tolist())
        feature["length"].int64_list.value.append(int(lengths[row]))
        feature["label"].int64_list.value.extend(np.atleast_1d(labels[row]).tolist())
        feature["document_id"].bytes_list.value.append(document_id.encode())
        if weights is not None:
            feature["weight"].float_list.value.append(float(weights[row]))
        if rationales is not None:
            feature["rationale"].int64_list.value.extend(rationales[row].tolist())
        # A map field has no defined order; without `deterministic` the bytes could differ.
        serialized.append(example.SerializeToString(deterministic=True))
    return serialized


def parse_examples(
    serialized: "tf.Tensor", *, max_tokens: int, label_width: int = 0
) -> dict[str, "tf.Tensor"]:
    """Parses a batch of serialized examples.

    Args:
        serialized: string `(batch,)`.
        max_tokens: the padded width with which the examples were written.
        label_width: 0 for one label index per document, else the multi-hot width.

    Returns:
        `token_ids` int64 `(batch, max_tokens)`, `length` int64 `(batch,)`,
        `label` int64 `(batch,)` or `(batch, label_width)`, `document_id` string
        `(batch,)`, `weight` float32 `(batch,)`, 1 where none was given.
    """
    import tensorflow as tf

    features = {
        "token_ids": tf.io.FixedLenFeature([max_tokens], tf.int64),
        "length": tf.io.FixedLenFeature([], tf.int64),
        "label": tf.io.FixedLenFeature([label_width] if label_width else [], tf.int64),
        "document_id": tf.io.FixedLenFeature([], tf.string),
        "weight": tf.io.FixedLenFeature([], tf.float32, default_value=1.0),
    }
    parsed: dict[str, tf.Tensor] = tf.io.parse_example(serialized, features)
    return parsed
