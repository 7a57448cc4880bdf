"""TFRecord shards -> shuffled, length-bucketed batches.

Documents of similar length share a batch and a batch is only as wide as its
longest document, so that the recurrent layers do not spend their time on
padding (measured on movie reviews: twice the examples a second).
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from model.training.examples import parse_examples

# Documents held to shuffle; at 200 tokens this is about 150 MB.
SHUFFLE_DOCUMENTS = 100_000

# Batches of documents that are sorted by length together; more sorts better, mixes less.
BUCKET_BATCHES = 50

# Batches that are ready before they are asked for.
BATCHES_AHEAD = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shards:
    """The TFRecord shards of one split, and how their examples were written."""

    paths: tuple[str, ...]
    rows: int
    max_tokens: int
    label_width: int = 0  # multi-hot width; 0 for one label index


def training_batches(
    shards: Shards,
    *,
    batch_size: int,
    seed: int,
    epoch: int,
    label_weights: np.ndarray | None = None,
) -> tf.data.Dataset:
    """The batches of one epoch, in an order that `(seed, epoch)` determines.

    Yields `(inputs, label, weight)`: inputs `token_ids` int32 `(batch, steps)`
    and `length` int32 `(batch,)`, with `steps` the longest length in the batch.

    Args:
        shards: of the training split.
        batch_size: documents a batch.
        seed: of the training.
        epoch: its number; the same one has the same batches in every run.
        label_weights: float32 `(labels,)`, multiplied into the documents' weights.
    """
    # A separate seed an epoch, rather than one reshuffled stream, is what makes
    # an epoch repeatable when training resumes in the middle.
    epoch_seed = seed * 1_000_003 + epoch
    window = batch_size * BUCKET_BATCHES
    examples = _examples(shards).shuffle(min(shards.rows, SHUFFLE_DOCUMENTS), seed=epoch_seed)
    batches = (
        # One call in parallel is one ahead: a window is parsed while the last one is trained on.
        examples.batch(window, num_parallel_calls=1)
        .map(_parser(shards), num_parallel_calls=1)
        .map(_sort_by_length)
        .rebatch(batch_size)
        # Sorted windows would show short documents first; batches are mixed again.
        .shuffle(BUCKET_BATCHES, seed=epoch_seed + 1)
        .map(_inputs_label_weight)
        .map(_weigher(label_weights))
        .apply(tf.data.experimental.assert_cardinality(-(-shards.rows // batch_size)))
    )
    return _read_ahead(batches)


def evaluation_batches(shards: Shards, *, batch_size: int) -> tf.data.Dataset:
    """Every document once, in the order of the shards: `(inputs, label, weight)`."""
    batches = _examples(shards).batch(batch_size).map(_parser(shards)).map(_inputs_label_weight)
    return _read_ahead(batches)


def _read_ahead(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Prepares some batches while one is trained on.

    Nothing is tuned while it runs: the thread that does so sleeps, twice as long each time, and
    what ends an epoch waits until it wakes. Seven seconds of training were seen to take ten so,
    and eleven to take twenty.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(BATCHES_AHEAD).with_options(options)


def _examples(shards: Shards) -> tf.data.Dataset:
    paths: Sequence[str] = sorted(shards.paths)
    # Reading shards in turns mixes corpora that arrive sorted by label.
    return tf.data.Dataset.from_tensor_slices(paths).interleave(
        _read_shard, cycle_length=min(len(paths), 64)
    )


def _read_shard(path: tf.Tensor) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(path, compression_type="GZIP")


def _parser(shards: Shards) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        return parse_examples(
            serialized, max_tokens=shards.max_tokens, label_width=shards.label_width
        )

    return parse


def _weigher(label_weights: np.ndarray | None) -> Callable[..., tuple[tf.Tensor, ...]]:
    def weigh(inputs: tf.Tensor, label: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if label_weights is None:
            return inputs, label, weight
        if label.shape.rank == 1:
            return inputs, label, weight * tf.gather(label_weights, label)
        # Of several labels, the mean of their weights.
        hot = tf.cast(label, tf.float32)
        mean = tf.math.divide_no_nan(
            tf.linalg.matvec(hot, label_weights), tf.reduce_sum(hot, axis=1)
        )
        return inputs, label, weight * mean

    return weigh


def _sort_by_length(examples: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    order = tf.argsort(examples["length"], stable=True)
    return {name: tf.gather(values, order) for name, values in examples.items()}


def _inputs_label_weight(
    examples: dict[str, tf.Tensor],
) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
    steps = tf.maximum(tf.reduce_max(examples["length"]), 1)
    inputs = {
        "token_ids": tf.cast(examples["token_ids"][:, :steps], tf.int32),
        "length": tf.cast(examples["length"], tf.int32),
    }
    return inputs, examples["label"], examples["weight"]
