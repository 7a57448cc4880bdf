"""Class weights by hand, and what a network learns with them."""

import keras
import numpy as np
import pytest

from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig, TrainingConfig
from model.layers.classifier import build_classifier
from model.training.class_weights import balance_documents
from model.training.compiled_network import compile_network
from model.training.devices import Devices


@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        ([0, 1, 1, 1], [2, 2 / 3, 2 / 3, 2 / 3]),
        ([2, 0, 2, 0], [1, 1, 1, 1]),  # a label that does not occur is no class
        ([0, 0, 0, 1], [2 / 3, 2 / 3, 2 / 3, 2]),
        ([4], [1]),
        # Three classes of 1, 2 and 1 documents: a, b, and no label.
        ([[1, 0], [0, 1], [0, 1], [0, 0]], [4 / 3, 2 / 3, 2 / 3, 4 / 3]),
        ([[1, 0], [0, 1], [0, 1]], [3 / 2, 3 / 4, 3 / 4]),  # no document without a label
        ([[0, 0], [0, 0], [1, 0], [0, 0]], [2 / 3, 2 / 3, 2, 2 / 3]),  # b does not occur
        # n is 5: a has 2 documents, b has 2, no label has 1; the weights are 5/6, 5/6, 5/3.
        ([[1, 1], [1, 0], [0, 1], [0, 0]], [5 / 6, 5 / 6, 5 / 6, 5 / 3]),
        # n is 4: a has 1 document, b has 3; the weights are 2 and 2/3, and their mean 4/3.
        ([[1, 1], [0, 1], [0, 1]], [4 / 3, 2 / 3, 2 / 3]),
        ([[0, 0], [0, 0]], [1, 1]),
    ],
)
def test_balanced_weights_of_documents(labels, weights):
    found = balance_documents(np.array(labels, np.int64))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, weights, rtol=1e-6)


@pytest.mark.parametrize("several", [False, True])
def test_every_class_has_the_same_total_weight(several):
    labels = np.random.default_rng(0).choice(4, size=1000, p=[0.7, 0.2, 0.07, 0.03])
    # As a set of labels, the label 3 is "no label".
    weights = balance_documents(np.eye(4, 3, dtype=np.int64)[labels] if several else labels)
    totals = np.bincount(labels, weights=weights)
    np.testing.assert_allclose(totals, 250, rtol=1e-5)
    assert weights.mean() == pytest.approx(1, rel=1e-5)


def test_a_network_learns_none_of_these():
    """Before, a document without a label had the weight 0, and such a network never learned it."""
    rng = np.random.default_rng(0)
    rows, steps = 400, 5
    ids = rng.integers(4, 12, (rows, steps)).astype("int32")
    kinds = rng.choice(3, size=rows, p=[0.5, 0.4, 0.1])  # label 0, label 1, no label
    some = kinds < 2
    ids[some, rng.integers(0, steps, some.sum())] = 2 + kinds[some]  # the token 2 or 3
    inputs = {"token_ids": ids, "length": np.full(rows, steps, np.int32)}
    labels = np.eye(3, 2, dtype=np.int64)[kinds]

    keras.utils.set_random_seed(1)
    network = build_classifier(
        NetworkConfig(
            embedding=EmbeddingConfig(units=8),
            lstm=LSTMConfig(units=6),
            dropout=0.0,
            head="multilabel",
        ),
        ids=12,
        max_tokens=steps,
        labels=2,
    )
    config = TrainingConfig(learning_rate=0.02, class_weights="balanced")
    trainee = compile_network(network, head="multilabel", config=config, steps=1, devices=Devices())
    trainee.fit(
        inputs,
        labels,
        sample_weight=balance_documents(labels),
        batch_size=20,
        epochs=10,
        verbose=0,
    )
    found = np.asarray(network(inputs)["probabilities"]) >= 0.5
    right = (found == labels).all(axis=1)
    assert right[kinds == 2].mean() > 0.9
    assert right.mean() > 0.95
