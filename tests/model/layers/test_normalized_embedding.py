"""The normalization of the embedding in training, against NumPy."""

import numpy as np
from keras import ops

from model.layers.classifier import build_classifier
from model.layers.token_embedding import TokenEmbedding
from tests.model.layers.gradients import gradients
from tests.model.layers.test_classifier import IDS, LENGTH, MAX_TOKENS, TOKEN_IDS, predict, small

COUNTS = np.random.default_rng(0).integers(0, 50, IDS)


def _embedding() -> TokenEmbedding:
    layer = TokenEmbedding(IDS, 6)
    layer.build((None, None))
    layer.set_weights([np.random.default_rng(1).normal(2, 0.3, (IDS, 6))])
    return layer


def test_each_unit_has_mean_0_and_variance_1_over_the_tokens_of_the_corpus() -> None:
    layer = _embedding()
    [table] = layer.get_weights()
    layer.normalize(COUNTS)
    tokens = np.repeat(np.arange(IDS, dtype="int32"), COUNTS)  # a corpus with these counts
    vectors = np.asarray(layer(tokens[None]))[0]
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(vectors.std(axis=0), 1, atol=1e-3)
    corpus = table[tokens]
    expected = (corpus - corpus.mean(axis=0)) / corpus.std(axis=0)
    np.testing.assert_allclose(vectors, expected, atol=1e-3)
    np.testing.assert_array_equal(layer.get_weights()[0], table)


def test_longer_vectors_are_no_other_vectors() -> None:
    """The loss does not change with the length of all vectors, so its gradient is across them."""
    layer = _embedding()
    layer.normalize(COUNTS)
    target = np.random.default_rng(2).normal(size=(1, IDS, 6))

    def loss() -> object:
        return ops.sum(ops.square(layer(np.arange(IDS, dtype="int32")[None]) - target))

    [gradient] = gradients(loss, [layer.embeddings])
    [table] = layer.get_weights()
    assert np.abs(gradient).max() > 1
    np.testing.assert_allclose((gradient * table).sum(axis=0), 0, atol=0.01)


def test_the_table_can_take_over_the_normalized_vectors() -> None:
    network = build_classifier(small(), ids=IDS, max_tokens=MAX_TOKENS, labels=2)
    layer = network.get_layer("embedding")
    plain = predict(network)[0]
    layer.normalize(COUNTS)
    normalized = predict(network)[0]
    assert np.abs(normalized - plain).max() > 1e-3
    layer.end_normalization()
    np.testing.assert_allclose(predict(network, TOKEN_IDS, LENGTH)[0], normalized, atol=1e-6)
    other = build_classifier(small(), ids=IDS, max_tokens=MAX_TOKENS, labels=2)
    other.set_weights(network.get_weights())
    np.testing.assert_array_equal(predict(other)[0], predict(network)[0])
