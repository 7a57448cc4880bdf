"""The engine keras: every document gets its own prediction, whatever the batches."""

import numpy as np
import pytest

from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig
from model.layers import keras_engine
from model.layers.classifier import build_classifier
from model.layers.forward import on_cpu
from model.layers.keras_engine import KerasEngine

NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=5), lstm=LSTMConfig(units=4))


@pytest.fixture(scope="module")
def network():
    built = build_classifier(NETWORK, ids=20, max_tokens=40, labels=3)
    random = np.random.default_rng(0)
    built.set_weights([random.normal(size=weight.shape) for weight in built.get_weights()])
    return built


def documents(rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    lengths = random.integers(0, 41, rows)
    row_offsets = np.concatenate([[0], np.cumsum(lengths)])
    return random.integers(1, 20, row_offsets[-1]).astype(np.int32), row_offsets


@pytest.mark.parametrize("batch_rows", [1, 7, 64])
def test_it_computes_what_the_network_gives_in_one_padded_batch(monkeypatch, network, batch_rows):
    monkeypatch.setattr(keras_engine, "CPU_BATCH_ROWS", batch_rows)
    ids, row_offsets = documents(30)
    lengths = np.diff(row_offsets)
    probabilities, attention = KerasEngine(network).run(ids, row_offsets)
    token_ids = np.zeros((30, 48), np.int32)
    token_ids[np.arange(48) < lengths[:, None]] = ids
    expected = network({"token_ids": token_ids, "length": lengths.astype(np.int32)})
    np.testing.assert_allclose(probabilities, expected["probabilities"], atol=1e-5)
    real = np.arange(48) < lengths[:, None]
    np.testing.assert_allclose(attention, np.asarray(expected["attention"])[real], atol=1e-5)


def test_documents_may_be_a_part_of_a_larger_array(network):
    ids, row_offsets = documents(30)
    whole = KerasEngine(network).run(ids, row_offsets)
    part = KerasEngine(network).run(ids, row_offsets[10:])
    np.testing.assert_allclose(part[0], whole[0][10:], atol=1e-6)
    np.testing.assert_allclose(part[1], whole[1][row_offsets[10] :], atol=1e-6)


def test_no_documents(network):
    probabilities, attention = KerasEngine(network).run(
        np.empty(0, np.int32), np.zeros(1, np.int64)
    )
    assert (probabilities.shape, attention.shape) == ((0, 3), (0,))


def test_new_weights_of_the_network_are_used(network):
    ids, row_offsets = documents(5)
    engine = KerasEngine(network)
    before, _ = engine.run(ids, row_offsets)
    weights = network.get_weights()
    try:
        network.set_weights([2 * weight for weight in weights])
        after, _ = engine.run(ids, row_offsets)
    finally:
        network.set_weights(weights)
    assert np.abs(after - before).max() > 1e-3


def test_the_reference_on_the_cpu_computes_the_same(network):
    with on_cpu():
        reference = build_classifier(NETWORK, ids=20, max_tokens=40, labels=3, cudnn=False)
    reference.set_weights(network.get_weights())
    documents_ = documents(30)
    expected = KerasEngine(network).run(*documents_)
    got = KerasEngine(reference, cpu=True).run(*documents_)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
