"""The layer and the folded kernel give the means of marked entities that a loop in NumPy gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.folded.entities import FoldedEntities
from model.folded.layout import Tile
from model.layers.classifier import build_classifier
from model.layers.entities import EntityPooling

MARKERS = ((1, 2), (3, 4))
WIDTH = 3


def plain_means(states: np.ndarray, ids: list[int]) -> np.ndarray:
    """Float64 `(entities * WIDTH,)` of one document."""
    means = []
    for opening, closing in MARKERS:
        end = ids.index(closing) if closing in ids else len(ids)
        start = ids.index(opening) + 1 if opening in ids else end
        inside = states[start:end].astype(np.float64)
        means.append(inside.mean(axis=0) if len(inside) else np.zeros(WIDTH))
    return np.concatenate(means)


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=9), min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_layer_and_folded_kernel_equal_a_loop(documents):
    documents = sorted(documents, key=len, reverse=True)
    lengths = np.array([len(ids) for ids in documents])
    rng = np.random.default_rng(0)
    states = rng.normal(size=(len(documents), 9, WIDTH)).astype(np.float32)
    pooled = rng.normal(size=(len(documents), 2)).astype(np.float32)
    token_ids = np.zeros((len(documents), 9), np.int32)
    for row, ids in enumerate(documents):
        token_ids[row, : len(ids)] = ids
    real = np.arange(9) < lengths[:, None]
    expected = np.concatenate(
        [pooled, [plain_means(states[row], ids) for row, ids in enumerate(documents)]], axis=1
    )

    got = EntityPooling(markers=MARKERS)(pooled, states, token_ids, real)
    np.testing.assert_allclose(np.asarray(got), expected, rtol=0, atol=1e-6)

    flat = token_ids[real].astype(np.int64)
    folded = FoldedEntities(MARKERS)(pooled, states[real], flat, Tile(lengths))
    np.testing.assert_allclose(folded, expected, rtol=0, atol=1e-6)


def test_half_precision_keeps_its_dtype():
    layer = EntityPooling(markers=MARKERS, dtype="mixed_bfloat16")
    states = np.ones((1, 3, WIDTH), np.float32)
    ids, real = np.array([[1, 5, 2]]), np.ones((1, 3), bool)
    got = layer(np.zeros((1, 2), np.float32), states, ids, real)
    assert "bfloat16" in str(got.dtype)


def test_network_refuses_markers_that_are_not_those_of_its_entities():
    config = NetworkConfig(embedding=EmbeddingConfig(units=3), entities=(("<", ">"),))
    with pytest.raises(ValueError, match="markers: expected those of 1 entities, got 0"):
        build_classifier(config, ids=9, max_tokens=5, labels=2)


def test_entities_need_one_prediction_for_a_document():
    attention = AttentionConfig(return_sequences=True)
    with pytest.raises(ValueError, match=r"entities: expected no entities with"):
        NetworkConfig(attention=attention, lstm=LSTMConfig(), entities=(("<", ">"),))
