"""TFRecord shards -> batches: every document once, narrow batches, repeatable order."""

import numpy as np
import pytest
import tensorflow as tf

from model.text.padding import pad_ids
from model.training.dataset import Shards, evaluation_batches, training_batches
from model.training.example_encoding import encode_examples

MAX_TOKENS = 20


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Shards:
    folder = tmp_path_factory.mktemp("shards")
    lengths = np.random.default_rng(1).integers(1, MAX_TOKENS + 1, 300)
    paths = []
    for number, rows in enumerate(np.array_split(np.arange(300), 3)):
        offsets = np.concatenate([[0], np.cumsum(lengths[rows])])
        # A document's ids are its own number, so that a batch shows which documents it has.
        ids = np.repeat(rows + 1, lengths[rows])
        serialized = encode_examples(
            token_ids=pad_ids(ids, offsets, max_tokens=MAX_TOKENS),
            lengths=lengths[rows],
            labels=rows % 3,
            document_ids=[str(row) for row in rows],
        )
        paths.append(str(folder / f"{number}.tfrecord.gz"))
        with tf.io.TFRecordWriter(paths[-1], tf.io.TFRecordOptions("GZIP")) as writer:
            for example in serialized:
                writer.write(example)
    return Shards(paths=tuple(paths), rows=300, max_tokens=MAX_TOKENS)


def _first_ids(batches) -> list[list[int]]:
    return [inputs["token_ids"][:, 0].numpy().tolist() for inputs, _, _ in batches]


def test_an_epoch_has_every_document_once(shards):
    batches = training_batches(shards, batch_size=16, seed=1, epoch=1)
    seen = [first for batch in _first_ids(batches) for first in batch]
    assert sorted(seen) == list(range(1, 301))
    assert len(batches) == 19


def test_batches_are_as_wide_as_their_longest_document(shards):
    widths = []
    for inputs, label, weight in training_batches(shards, batch_size=16, seed=1, epoch=1):
        assert inputs["token_ids"].shape[1] == inputs["length"].numpy().max()
        assert label.shape == weight.shape == inputs["length"].shape
        widths.append(inputs["token_ids"].shape[1])
    assert min(widths) < MAX_TOKENS / 2  # short documents share batches


def test_the_order_follows_from_seed_and_epoch(shards):
    def order(seed, epoch):
        return _first_ids(training_batches(shards, batch_size=16, seed=seed, epoch=epoch))

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_short_batches_do_not_all_come_first(shards):
    widths = [
        inputs["token_ids"].shape[1]
        for inputs, _, _ in training_batches(shards, batch_size=16, seed=1, epoch=1)
    ]
    assert widths != sorted(widths)


def test_autotuning_is_off(shards):
    """The end of an epoch would wait until that thread wakes."""
    for batches in (
        training_batches(shards, batch_size=16, seed=1, epoch=1),
        evaluation_batches(shards, batch_size=16),
    ):
        assert batches.options().autotune.enabled is False


def test_evaluation_keeps_the_order_of_the_shards(shards):
    seen = [
        first for batch in _first_ids(evaluation_batches(shards, batch_size=64)) for first in batch
    ]
    assert sorted(seen) == list(range(1, 301))
    again = [
        first for batch in _first_ids(evaluation_batches(shards, batch_size=7)) for first in batch
    ]
    assert seen == again


def test_label_weights_multiply_the_weights_of_documents(shards):
    weights = np.array([1.0, 2.0, 0.5], np.float32)
    for _, label, weight in training_batches(
        shards, batch_size=16, seed=1, epoch=1, label_weights=weights
    ):
        np.testing.assert_array_equal(weight, weights[label.numpy()])
