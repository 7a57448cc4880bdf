import numpy as np
import pytest

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.layers.classifier import build_classifier
from model.layers.weights import assign_weights, copy_weights

CONFIG = NetworkConfig(
    embedding=EmbeddingConfig(units=4, trainable=False, dropout=0.5),
    lstm=LSTMConfig(units=3, layers=2, recurrent_dropout=0.5),
    attention=AttentionConfig(kind="positional"),
    head="sigmoid",
)


def build(config=CONFIG):
    return build_classifier(config, ids=9, max_tokens=5, labels=2)


def randomized(seed):
    network = build()
    random = np.random.default_rng(seed)
    network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    return network


def test_a_network_with_the_weights_of_another_predicts_as_that_one():
    inputs = {"token_ids": np.array([[3, 1, 4, 1], [5, 2, 0, 0]], "int32")}
    inputs["length"] = np.array([4, 2], "int32")
    source, target = randomized(1), randomized(2)
    expected = source(inputs)
    assert not np.allclose(target(inputs)["probabilities"], expected["probabilities"])
    assign_weights(target, copy_weights(source))
    for name, output in target(inputs).items():
        np.testing.assert_array_equal(output, expected[name])


def test_every_weight_is_copied_and_a_copy_does_not_change_with_the_network():
    network = randomized(1)
    copied = copy_weights(network)
    assert sum(map(len, copied.values())) == len(network.weights)
    network.set_weights([np.zeros(weight.shape) for weight in network.weights])
    assert all(array.any() for named in copied.values() for array in named.values())


@pytest.mark.parametrize(
    ("layer", "name", "array", "message"),
    [
        (
            "attention",
            "bias",
            None,
            r"attention\.bias: expected a weight of shape \(5,\), got none",
        ),
        (
            "bilstm_2.backward_lstm",
            "kernel",
            np.zeros((4, 12)),
            r"bilstm_2\.backward_lstm\.kernel: expected shape \(6, 12\), got \(4, 12\)",
        ),
        ("head", "gain", np.zeros(1), r"head\.gain: expected no such weight"),
        (
            "bilstm_3.forward_lstm",
            "bias",
            np.zeros(12),
            r"bilstm_3\.forward_lstm\.bias: .* no such",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named_and_leave_the_network_as_it_was(
    layer, name, array, message
):
    weights = {key: dict(named) for key, named in copy_weights(randomized(1)).items()}
    if array is None:
        del weights[layer][name]
    else:
        weights.setdefault(layer, {})[name] = array
    network = randomized(2)
    before = network.get_weights()
    with pytest.raises(ValueError, match=message):
        assign_weights(network, weights)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
