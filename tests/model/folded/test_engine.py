"""The folded engine gives what the Keras network gives, and a plain LSTM written in NumPy."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.folded import engine as folded
from model.folded import lstm as folded_lstm
from model.folded.attention import FOLDED_POOLINGS
from model.folded.engine import FoldedEngine
from model.layers import attention
from model.layers.classifier import CONTROLS, build_classifier
from model.layers.weights import copy_weights
from model.text.padding import pad_ids

IDS = 50
MAX_TOKENS = 23
TOLERANCE = 1e-5

# Not a multiple of any register's size, so that every width must be padded.
UNITS = 19

# Two directions concatenated; added, in two layers; no LSTM; one direction, in two layers.
RECURRENT = {
    "concat": LSTMConfig(units=UNITS),
    "sum-2": LSTMConfig(units=UNITS, merge="sum", layers=2),
    "none": LSTMConfig(layers=0),
    "forward-2": LSTMConfig(units=UNITS, bidirectional=False, layers=2),
}
LABELS = {"softmax": 3, "sigmoid": 2, "multilabel": 4}


def network_config(
    *, kind="zhou", recurrent="concat", head="softmax", sequences=False, entities=()
) -> NetworkConfig:
    return NetworkConfig(
        embedding=EmbeddingConfig(units=5),
        lstm=RECURRENT[recurrent],
        attention=AttentionConfig(kind=kind, return_sequences=sequences, units=9, heads=3),
        head=head,
        entities=entities,
    )


def markers_of(config: NetworkConfig) -> tuple[tuple[int, int], ...]:
    """Frequent ids, so that random documents have some entities and lack others."""
    return tuple((3 + 2 * number, 4 + 2 * number) for number in range(len(config.entities)))


def make_network(config: NetworkConfig) -> keras.Model:
    """A network with random weights: initial weights of 0 or 1 would hide mistakes."""
    network = build_classifier(
        config,
        ids=IDS,
        max_tokens=MAX_TOKENS,
        labels=LABELS[config.head],
        markers=markers_of(config),
    )
    random = np.random.default_rng(0)
    network.set_weights([random.normal(0, 0.4, w.shape) for w in network.get_weights()])
    return network


def random_documents(lengths) -> tuple[np.ndarray, np.ndarray]:
    ids = np.random.default_rng(1).integers(0, IDS, sum(lengths)).astype(np.int32)
    return ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def run_keras(network, ids, row_offsets) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.diff(row_offsets)
    real = np.arange(lengths.max()) < lengths[:, None]
    token_ids = pad_ids(ids, row_offsets, max_tokens=lengths.max())
    outputs = network({"token_ids": token_ids, "length": lengths.astype(np.int32)})
    return np.asarray(outputs["probabilities"]), np.asarray(outputs["attention"])[real]


# More rows than a block has on any CPU, some of equal length, some of one token.
DOCUMENTS = random_documents([7, 1, MAX_TOKENS, 2, 7, 13, 1, 19, 8, 3, 7, 22, 5])


def assert_equals_keras(config: NetworkConfig, documents=DOCUMENTS) -> None:
    network = make_network(config)
    expected = run_keras(network, *documents)
    engine = FoldedEngine(copy_weights(network), config, markers=markers_of(config), threads=1)
    got = engine.run(*documents)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("recurrent", RECURRENT)
@pytest.mark.parametrize("kind", FOLDED_POOLINGS)
def test_equals_keras_for_every_kind_and_recurrent_part(kind, recurrent):
    assert_equals_keras(network_config(kind=kind, recurrent=recurrent))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("head", LABELS)
def test_equals_keras_for_every_head(head, sequences):
    assert_equals_keras(network_config(head=head, sequences=sequences))


@pytest.mark.parametrize("kind", sorted(set(FOLDED_POOLINGS) - set(CONTROLS)))
def test_equals_keras_with_one_prediction_for_each_step(kind):
    assert_equals_keras(network_config(kind=kind, recurrent="sum-2", sequences=True))


@pytest.mark.parametrize("recurrent", RECURRENT)
@pytest.mark.parametrize("kind", ["zhou", "luong", "multihead", "max"])
def test_equals_keras_with_entities(kind, recurrent):
    config = network_config(kind=kind, recurrent=recurrent, entities=(("<", ">"), ("[", "]")))
    ids, row_offsets = DOCUMENTS
    assert_equals_keras(config, (ids % 10, row_offsets))


def test_equals_keras_without_folding(monkeypatch):
    monkeypatch.setattr(folded_lstm, "MAX_TABLE_BYTES", 0)
    assert_equals_keras(network_config())


def test_every_kind_of_attention_is_in_the_folded_engine():
    assert set(FOLDED_POOLINGS) == set(attention.KINDS)


def plain_lstm(inputs, kernel, recurrent_kernel, bias):
    """Hochreiter & Schmidhuber's LSTM with a forget gate, one step after another, in float64."""
    units = len(recurrent_kernel)
    state, cell_state, states = np.zeros(units), np.zeros(units), []
    for x in inputs:
        gates = x @ kernel + state @ recurrent_kernel + bias
        input_gate, forget_gate, output_gate = (
            1 / (1 + np.exp(-gates[number * units : (number + 1) * units])) for number in (0, 1, 3)
        )
        cell_gate = np.tanh(gates[2 * units : 3 * units])
        cell_state = forget_gate * cell_state + input_gate * cell_gate
        state = output_gate * np.tanh(cell_state)
        states.append(state)
    return np.array(states)


def test_equals_a_plain_lstm_with_attention_of_zhou():
    config = network_config(head="softmax")
    network = make_network(config)
    embedding, *rest = (array.astype(np.float64) for array in network.get_weights())
    forward, backward, (query, head, bias) = rest[:3], rest[3:6], rest[6:]
    ids, row_offsets = DOCUMENTS
    probabilities, weights = FoldedEngine(copy_weights(network), config).run(ids, row_offsets)
    for row, (start, stop) in enumerate(itertools.pairwise(row_offsets)):
        inputs = embedding[ids[start:stop]]
        states = np.concatenate(
            [plain_lstm(inputs, *forward), plain_lstm(inputs[::-1], *backward)[::-1]], axis=1
        )
        exponentials = np.exp(np.tanh(states) @ query[:, 0])
        shares = exponentials / exponentials.sum()
        logits = np.tanh(shares @ states) @ head + bias
        expected = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(weights[start:stop], shares, rtol=0, atol=2e-6)
        np.testing.assert_allclose(probabilities[row], expected, rtol=0, atol=2e-6)


@pytest.fixture(scope="module")
def positional():
    config = network_config(kind="positional")
    return copy_weights(make_network(config)), config


@given(
    lengths=st.lists(st.integers(1, MAX_TOKENS), min_size=1, max_size=40),
    threads=st.integers(1, 4),
    tile_tokens=st.integers(1, 200),
    data=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_a_document_scored_alone_gets_the_same_bits_as_among_others(
    positional, lengths, threads, tile_tokens, data
):
    layers, config = positional
    ids, row_offsets = random_documents(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folded, "TILE_TOKENS", tile_tokens)
        together = FoldedEngine(layers, config, threads=threads).run(ids, row_offsets)
    row = data.draw(st.integers(0, len(lengths) - 1))
    own = slice(row_offsets[row], row_offsets[row + 1])
    alone = FoldedEngine(layers, config, threads=1).run(ids[own], np.array([0, lengths[row]]))
    np.testing.assert_array_equal(together[0][row], alone[0][0])
    np.testing.assert_array_equal(together[1][own], alone[1])
    np.testing.assert_allclose(alone[1].sum(), 1, atol=1e-5)


@pytest.mark.parametrize("kind", FOLDED_POOLINGS)
def test_every_kind_gives_the_same_bits_alone_and_among_others(kind):
    config = network_config(kind=kind, recurrent="sum-2", head="multilabel")
    engine = FoldedEngine(copy_weights(make_network(config)), config)
    ids, row_offsets = DOCUMENTS
    together = engine.run(ids, row_offsets)
    for row, (start, stop) in enumerate(itertools.pairwise(row_offsets)):
        alone = engine.run(ids[start:stop], np.array([0, stop - start]))
        np.testing.assert_array_equal(together[0][row], alone[0][0])
        np.testing.assert_array_equal(together[1][start:stop], alone[1])


def test_saturated_gates_stay_finite():
    config = network_config()
    network = make_network(config)
    network.set_weights([1e3 * weights for weights in network.get_weights()])
    expected = run_keras(network, *DOCUMENTS)
    got = FoldedEngine(copy_weights(network), config).run(*DOCUMENTS)
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=1e-3)
    assert np.isfinite(got[0]).all()


def test_no_documents_give_empty_results(positional):
    engine = FoldedEngine(*positional)
    probabilities, weights = engine.run(np.empty(0, np.int32), np.zeros(1, np.int64))
    assert probabilities.shape == (0, 3)
    assert weights.shape == (0,)


def test_accepts_read_only_arrays(positional):
    ids, row_offsets = (array.copy() for array in DOCUMENTS)
    ids.flags.writeable = row_offsets.flags.writeable = False
    engine = FoldedEngine(*positional)
    np.testing.assert_array_equal(engine.run(ids, row_offsets)[0], engine.run(*DOCUMENTS)[0])


@pytest.mark.parametrize(
    ("ids", "row_offsets", "message"),
    [
        ([1, 2], [0, 1], "from 0 to 2"),
        ([1, 2], [1, 2], "from 0 to 2"),
        ([1, 2], [0, 0, 2], "got 0 in row 0"),
        ([1, 2], [0, 2, 1, 2], "got -1 in row 1"),
        ([1] * (MAX_TOKENS + 1), [0, MAX_TOKENS + 1], f"1 to {MAX_TOKENS} tokens"),
        ([1, IDS], [0, 2], f"0 to {IDS - 1}"),
        ([-1, 2], [0, 2], f"0 to {IDS - 1}"),
    ],
)
def test_refuses_offsets_and_ids_that_would_read_out_of_bounds(
    positional, ids, row_offsets, message
):
    engine = FoldedEngine(*positional)
    with pytest.raises(ValueError, match=message):
        engine.run(np.array(ids, np.int32), np.array(row_offsets))


def test_refuses_zero_threads(positional):
    with pytest.raises(ValueError, match="threads: expected"):
        FoldedEngine(*positional, threads=0)
