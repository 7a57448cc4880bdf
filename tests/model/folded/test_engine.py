"""The folded engine against the Keras network, against a plain LSTM, and against itself."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import AttentionConfig, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.folded import engine as folded
from model.folded import lstm as folded_lstm
from model.folded.attention import KINDS
from model.folded.engine import FoldedEngine
from model.folded.kernels import COLUMNS, LANES, ROWS, dot_rows, project
from model.folded.layout import read_network
from model.layers import attention
from model.layers.classifier import CONTROLS, build_classifier

IDS = 50
MAX_TOKENS = 23
TOLERANCE = 1e-5

# No multiple of any register's lanes, so that every width has to be filled up.
UNITS = 19

# One direction, two, added, and stacked.
RECURRENT = {
    "concat": LSTMConfig(units=UNITS),
    "sum-2": LSTMConfig(units=UNITS, merge="sum", layers=2),
    "forward-2": LSTMConfig(units=UNITS, bidirectional=False, layers=2),
}
LABELS = {"softmax": 3, "sigmoid": 2, "multilabel": 4}


def make_config(
    *, kind="zhou", recurrent="concat", head="softmax", sequences=False
) -> NetworkConfig:
    return NetworkConfig(
        embedding=EmbeddingConfig(units=5),
        lstm=RECURRENT[recurrent],
        attention=AttentionConfig(kind=kind, return_sequences=sequences, units=9, heads=3),
        head=head,
    )


def make_network(config: NetworkConfig) -> keras.Model:
    """A network whose every weight is random: one that starts at 0 or 1 would hide mistakes."""
    network = build_classifier(config, ids=IDS, max_tokens=MAX_TOKENS, labels=LABELS[config.head])
    random = np.random.default_rng(0)
    network.set_weights([random.normal(0, 0.4, w.shape) for w in network.get_weights()])
    return network


def make_documents(lengths) -> tuple[np.ndarray, np.ndarray]:
    ids = np.random.default_rng(1).integers(0, IDS, sum(lengths)).astype(np.int32)
    return ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def run_keras(network, ids, row_offsets) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.diff(row_offsets)
    real = np.arange(lengths.max()) < lengths[:, None]
    token_ids = np.zeros(real.shape, np.int32)
    token_ids[real] = ids
    outputs = network({"token_ids": token_ids, "length": lengths.astype(np.int32)})
    return np.asarray(outputs["probabilities"]), np.asarray(outputs["attention"])[real]


# More rows than a block of any CPU, equal lengths, and documents of one token.
DOCUMENTS = make_documents([7, 1, MAX_TOKENS, 2, 7, 13, 1, 19, 8, 3, 7, 22, 5])


def assert_equals_keras(config: NetworkConfig) -> None:
    network = make_network(config)
    expected = run_keras(network, *DOCUMENTS)
    got = FoldedEngine(read_network(network), config, threads=1).run(*DOCUMENTS)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("recurrent", RECURRENT)
@pytest.mark.parametrize("kind", KINDS)
def test_equals_keras_for_every_kind_and_recurrent_part(kind, recurrent):
    assert_equals_keras(make_config(kind=kind, recurrent=recurrent))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("head", LABELS)
def test_equals_keras_for_every_head(head, sequences):
    assert_equals_keras(make_config(head=head, sequences=sequences))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(CONTROLS)))
def test_equals_keras_with_a_prediction_a_step(kind):
    assert_equals_keras(make_config(kind=kind, recurrent="sum-2", sequences=True))


def test_equals_keras_without_folding(monkeypatch):
    monkeypatch.setattr(folded_lstm, "MAX_TABLE_BYTES", 0)
    assert_equals_keras(make_config())


def test_every_kind_of_the_network_has_a_counterpart():
    assert set(KINDS) == set(attention.KINDS)


def plain_lstm(inputs, kernel, recurrent_kernel, bias):
    """Hochreiter & Schmidhuber's LSTM with a forget gate, a step at a time, in float64."""
    units = len(recurrent_kernel)
    state, memory, states = np.zeros(units), np.zeros(units), []
    for x in inputs:
        gates = x @ kernel + state @ recurrent_kernel + bias
        add, keep, show = (
            1 / (1 + np.exp(-gates[at * units : (at + 1) * units])) for at in (0, 1, 3)
        )
        memory = keep * memory + add * np.tanh(gates[2 * units : 3 * units])
        state = show * np.tanh(memory)
        states.append(state)
    return np.array(states)


def test_equals_a_plain_lstm_with_attention_of_zhou():
    config = make_config(head="softmax")
    network = make_network(config)
    embedding, *rest = (array.astype(np.float64) for array in network.get_weights())
    forward, backward, (query, head, bias) = rest[:3], rest[3:6], rest[6:]
    ids, row_offsets = DOCUMENTS
    probabilities, weights = FoldedEngine(read_network(network), config).run(ids, row_offsets)
    for row, (start, stop) in enumerate(itertools.pairwise(row_offsets)):
        inputs = embedding[ids[start:stop]]
        states = np.concatenate(
            [plain_lstm(inputs, *forward), plain_lstm(inputs[::-1], *backward)[::-1]], axis=1
        )
        powers = np.exp(np.tanh(states) @ query[:, 0])
        shares = powers / powers.sum()
        logits = np.tanh(shares @ states) @ head + bias
        expected = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(weights[start:stop], shares, rtol=0, atol=2e-6)
        np.testing.assert_allclose(probabilities[row], expected, rtol=0, atol=2e-6)


@pytest.fixture(scope="module")
def positional():
    config = make_config(kind="positional")
    return read_network(make_network(config)), config


@given(
    lengths=st.lists(st.integers(1, MAX_TOKENS), min_size=1, max_size=40),
    threads=st.integers(1, 4),
    tile_tokens=st.integers(1, 200),
    data=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_a_document_alone_gets_what_it_gets_among_others(
    positional, lengths, threads, tile_tokens, data
):
    layers, config = positional
    ids, row_offsets = make_documents(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folded, "TILE_TOKENS", tile_tokens)
        together = FoldedEngine(layers, config, threads=threads).run(ids, row_offsets)
    row = data.draw(st.integers(0, len(lengths) - 1))
    own = slice(row_offsets[row], row_offsets[row + 1])
    alone = FoldedEngine(layers, config, threads=1).run(ids[own], np.array([0, lengths[row]]))
    np.testing.assert_array_equal(together[0][row], alone[0][0])
    np.testing.assert_array_equal(together[1][own], alone[1])
    np.testing.assert_allclose(alone[1].sum(), 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_the_same_to_the_bit_among_others(kind):
    config = make_config(kind=kind, recurrent="sum-2", head="multilabel")
    engine = FoldedEngine(read_network(make_network(config)), config)
    ids, row_offsets = DOCUMENTS
    together = engine.run(ids, row_offsets)
    for row, (start, stop) in enumerate(itertools.pairwise(row_offsets)):
        alone = engine.run(ids[start:stop], np.array([0, stop - start]))
        np.testing.assert_array_equal(together[0][row], alone[0][0])
        np.testing.assert_array_equal(together[1][start:stop], alone[1])


def test_saturated_gates_stay_finite():
    config = make_config()
    network = make_network(config)
    network.set_weights([1e3 * weights for weights in network.get_weights()])
    expected = run_keras(network, *DOCUMENTS)
    got = FoldedEngine(read_network(network), config).run(*DOCUMENTS)
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=1e-3)
    assert np.isfinite(got[0]).all()


def test_nothing_gives_nothing(positional):
    engine = FoldedEngine(*positional)
    probabilities, weights = engine.run(np.empty(0, np.int32), np.zeros(1, np.int64))
    assert probabilities.shape == (0, 3)
    assert weights.shape == (0,)


def test_reads_arrays_that_cannot_be_written(positional):
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
def test_refuses_what_it_would_read_out_of_bounds(positional, ids, row_offsets, message):
    engine = FoldedEngine(*positional)
    with pytest.raises(ValueError, match=message):
        engine.run(np.array(ids, np.int32), np.array(row_offsets))


def test_refuses_to_run_on_no_thread(positional):
    with pytest.raises(ValueError, match="threads: expected"):
        FoldedEngine(*positional, threads=0)


@pytest.mark.parametrize("rows", [1, ROWS, ROWS + 1, 5 * ROWS - 1])
def test_project_is_the_tanh_of_an_affine_map(rows):
    random = np.random.default_rng(2)
    inputs = random.normal(size=(rows, 37)).astype(np.float32)
    kernel = random.normal(size=(37, 2 * COLUMNS)).astype(np.float32)
    biases = random.normal(size=(3, 2 * COLUMNS)).astype(np.float32)
    bias_of_row = random.integers(0, 3, rows)
    blocks = np.ascontiguousarray(kernel.reshape(37, 2, COLUMNS).swapaxes(0, 1))
    got = project(inputs, blocks, biases, bias_of_row)
    expected = np.tanh(inputs.astype(np.float64) @ kernel + biases[bias_of_row])
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("squash", [False, True])
def test_dot_rows_multiplies_each_row_with_its_group(squash):
    random = np.random.default_rng(3)
    rows = random.normal(0, 3, size=(11, 3 * LANES)).astype(np.float32)
    vectors = random.normal(size=(2, 4, 3 * LANES)).astype(np.float32)
    group_of_row = random.integers(0, 2, 11)
    got = dot_rows(rows, vectors, group_of_row, squash)
    values = np.tanh(rows) if squash else rows
    expected = np.einsum("rd,rvd->rv", values, vectors[group_of_row])
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_tanh_is_right_everywhere():
    values = np.concatenate([np.linspace(-12, 12, 100_001), [0, -0.0, 1e-30, 1e30, -1e30]])
    rows = np.zeros((len(values), LANES), np.float32)
    rows[:, 0] = values
    first = np.zeros((1, 1, LANES), np.float32)
    first[0, 0, 0] = 1
    got = dot_rows(rows, first, np.zeros(len(values), np.int64), True)[:, 0]
    np.testing.assert_allclose(got, np.tanh(rows[:, 0].astype(np.float64)), rtol=1e-6, atol=6e-7)
    assert np.abs(got).max() <= 1


def test_nan_weights_are_not_hidden():
    rows = np.full((1, LANES), np.nan, np.float32)
    assert np.isnan(dot_rows(rows, np.ones((1, 1, LANES), np.float32), np.zeros(1, np.int64), True))
