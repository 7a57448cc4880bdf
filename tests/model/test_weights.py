"""The names and shapes of the weights, written down once, are those of the Keras network."""

import numpy as np
import pytest

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.layers.attention import KINDS
from model.layers.classifier import build_classifier
from model.layers.weights import copy_weights
from model.weights import check_weights, weight_shapes

RECURRENT = {
    "no layers": LSTMConfig(layers=0),
    "two layers": LSTMConfig(units=3, layers=2),
    "two layers, summed": LSTMConfig(units=3, layers=2, merge="sum"),
    "one direction": LSTMConfig(units=3, layers=2, bidirectional=False),
}
SIZES = {"ids": 9, "max_tokens": 7}


def in_order(layers):
    """Layers and weights, each as a list, so that a comparison sees their order."""
    return [(layer, list(weights.items())) for layer, weights in layers.items()]


@pytest.mark.parametrize("recurrent", RECURRENT)
@pytest.mark.parametrize("kind", KINDS)
def test_names_shapes_and_order_are_those_of_keras(kind, recurrent):
    config = NetworkConfig(
        embedding=EmbeddingConfig(units=5),
        lstm=RECURRENT[recurrent],
        attention=AttentionConfig(kind=kind, units=4, heads=2),
    )
    weights = copy_weights(build_classifier(config, **SIZES, labels=3))
    got = {layer: {name: a.shape for name, a in named.items()} for layer, named in weights.items()}
    assert in_order(weight_shapes(config, **SIZES, labels=3)) == in_order(got)


def test_the_head_reads_the_states_of_entities():
    config = NetworkConfig(lstm=LSTMConfig(units=3), entities=(("<", ">"), ("[", "]")))
    network = build_classifier(config, **SIZES, labels=2, markers=((2, 3), (4, 5)))
    shapes = weight_shapes(config, **SIZES, labels=2)
    assert shapes["head"]["kernel"] == (6 + 2 * 6, 2)
    check_weights(copy_weights(network), shapes)


@pytest.mark.parametrize(("head", "units"), [("sigmoid", 1), ("softmax", 2), ("multilabel", 2)])
def test_the_head_has_a_unit_for_each_logit(head, units):
    config = NetworkConfig(lstm=LSTMConfig(units=3), head=head)
    shapes = weight_shapes(config, **SIZES, labels=2)
    assert shapes["head"] == {"kernel": (6, units), "bias": (units,)}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, r"head\.kernel: expected a weight of shape \(2, 3\), got none"),
        ({"kernel": np.zeros((3, 2))}, r"head\.kernel: expected shape \(2, 3\), got \(3, 2\)"),
        (
            {"kernel": np.zeros((2, 3)), "gain": np.zeros(1)},
            r"head\.gain: expected no such weight, got one of shape \(1,\)",
        ),
    ],
)
def test_a_weight_that_does_not_fit_is_named(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights({"head": weights}, {"head": {"kernel": (2, 3)}})


def test_an_unknown_layer_is_named():
    with pytest.raises(ValueError, match=r"bilstm_2\.forward_lstm\.bias: expected no such weight"):
        check_weights({"bilstm_2.forward_lstm": {"bias": np.zeros(4)}}, {})
