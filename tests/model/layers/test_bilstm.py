import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import ops

from model.layers.bilstm import BiLSTM
from model.layers.block_lstm import runs_as_block
from model.layers.sequences import reverse_within_length
from tests.model.layers.gradients import gradients

STEPS, FEATURES, UNITS = 7, 5, 4
LENGTH = np.arange(1, STEPS + 1, dtype="int32")
MASK = np.arange(STEPS) < LENGTH[:, None]


@pytest.fixture(autouse=True, params=["block", "loop"])
def recurrence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs on the fused operation and on Keras's own loop."""
    if request.param == "loop":
        monkeypatch.setattr("model.layers.bilstm.runs_as_block", lambda dtype, cudnn: False)
    elif not runs_as_block("float32", cudnn=True):
        pytest.skip("the fused operation is TensorFlow's, on a CPU")


def random_batch(seed: int = 0) -> np.ndarray:
    """A row for each length from 1 to STEPS; padding is random like the rest."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(LENGTH), STEPS, FEATURES)).astype("float32")


def built(**arguments: object) -> BiLSTM:
    """A layer whose weights, biases included, are random."""
    layer = BiLSTM(UNITS, **arguments)
    layer(np.zeros((1, 2, FEATURES), "float32"), np.array([1]))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape, scale=0.5) for weight in layer.weights])
    return layer


def masked_reference(layer: BiLSTM, *, return_sequences: bool) -> keras.layers.Bidirectional:
    """Keras' own masked layer with the same weights."""
    reference = keras.layers.Bidirectional(
        keras.layers.LSTM(UNITS, return_sequences=return_sequences),
        merge_mode=layer.merge,
    )
    reference.build((None, STEPS, FEATURES))
    reference.set_weights(layer.get_weights())
    return reference


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_states_equal_keras_bidirectional_with_a_mask(merge: str) -> None:
    layer = built(merge=merge)
    reference = masked_reference(layer, return_sequences=True)
    batch = random_batch()

    states, _ = layer(batch, LENGTH)

    expected = np.asarray(reference(batch, mask=MASK))
    np.testing.assert_allclose(np.asarray(states)[MASK], expected[MASK], atol=1e-5)


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_final_equals_keras_bidirectional_without_sequences(merge: str) -> None:
    layer = built(merge=merge)
    reference = masked_reference(layer, return_sequences=False)
    batch = random_batch()

    _, final = layer(batch, LENGTH)

    np.testing.assert_allclose(final, reference(batch, mask=MASK), atol=1e-5)


def test_one_direction_equals_keras_lstm_with_a_mask() -> None:
    layer = built(bidirectional=False)
    reference = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    reference.build((None, STEPS, FEATURES))
    reference.set_weights(layer.get_weights())
    batch = random_batch()

    states, final = layer(batch, LENGTH)

    expected_states, expected_final, _ = reference(batch, mask=MASK)
    np.testing.assert_allclose(
        np.asarray(states)[MASK], np.asarray(expected_states)[MASK], atol=1e-5
    )
    np.testing.assert_allclose(final, expected_final, atol=1e-5)


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_gradients_equal_keras_bidirectional_with_a_mask(merge: str) -> None:
    layer = built(merge=merge)
    reference = masked_reference(layer, return_sequences=True)
    batch = keras.Variable(random_batch())
    width = UNITS * (2 if merge == "concat" else 1)
    # A loss that weighs every real state differently and no padding at all.
    upstream = np.random.default_rng(2).normal(size=(len(LENGTH), STEPS, width)) * MASK[..., None]
    upstream = upstream.astype("float32")

    def loss() -> object:
        states, _ = layer(ops.convert_to_tensor(batch), LENGTH)
        return ops.sum(states * upstream)

    def reference_loss() -> object:
        return ops.sum(reference(ops.convert_to_tensor(batch), mask=MASK) * upstream)

    found = gradients(loss, [batch, *layer.trainable_variables])
    expected = gradients(reference_loss, [batch, *reference.trainable_variables])

    assert len(found) == 7
    for gradient, expected_gradient in zip(found, expected, strict=True):
        assert np.abs(expected_gradient).max() > 0
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-5, rtol=1e-5)
    assert (found[0][~MASK] == 0).all()  # nothing is learned from padding


FORWARD_FIRST = built()
BACKWARD_FIRST = built()
BACKWARD_FIRST.forward_lstm.set_weights(FORWARD_FIRST.backward_lstm.get_weights())
BACKWARD_FIRST.backward_lstm.set_weights(FORWARD_FIRST.forward_lstm.get_weights())


@given(lengths=st.lists(st.integers(1, STEPS), min_size=1, max_size=3), seed=st.integers(0, 2**16))
@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_reversed_text_with_swapped_directions_gives_mirrored_states(
    lengths: list[int], seed: int
) -> None:
    length = np.array(lengths, "int32")
    batch = random_batch(seed)[: len(lengths)]
    mask = np.arange(STEPS) < length[:, None]

    states, final = FORWARD_FIRST(batch, length)
    swapped, swapped_final = BACKWARD_FIRST(reverse_within_length(batch, length), length)

    mirrored = np.asarray(reverse_within_length(swapped, length))
    mirrored = np.concatenate([mirrored[..., UNITS:], mirrored[..., :UNITS]], axis=-1)
    np.testing.assert_allclose(np.asarray(states)[mask], mirrored[mask], atol=1e-6)
    np.testing.assert_allclose(np.asarray(final), np.roll(swapped_final, UNITS, axis=-1), atol=1e-6)
    # If both directions computed the same, the test would show nothing.
    assert not np.allclose(np.asarray(states)[mask], np.asarray(swapped)[mask], atol=1e-3)


def test_padding_and_neighbors_change_nothing() -> None:
    layer = built()
    batch = random_batch()
    other_padding = np.where(MASK[..., None], batch, np.float32(100.0))
    wider = np.pad(other_padding, ((0, 0), (0, 3), (0, 0)), constant_values=-100.0)

    states, final = (np.asarray(output) for output in layer(batch, LENGTH))

    for changed in (other_padding, wider):
        changed_states, changed_final = layer(changed, LENGTH)
        np.testing.assert_allclose(
            np.asarray(changed_states)[:, :STEPS][MASK], states[MASK], atol=1e-6
        )
        np.testing.assert_allclose(changed_final, final, atol=1e-6)
    for row, n in enumerate(LENGTH):
        alone, alone_final = layer(batch[row : row + 1, :n], LENGTH[row : row + 1])
        np.testing.assert_allclose(alone[0], states[row, :n], atol=1e-6)
        np.testing.assert_allclose(alone_final[0], final[row], atol=1e-6)


def test_a_row_that_is_all_padding_is_finite_and_its_final_state_is_zero() -> None:
    states, final = built()(random_batch(), np.zeros(len(LENGTH), "int32"))
    assert np.isfinite(np.asarray(states)).all()
    assert (np.asarray(final) == 0).all()


@pytest.mark.parametrize("option", ["dropout", "recurrent_dropout"])
def test_dropout_acts_only_in_training(option: str) -> None:
    plain, dropping = built(), built(**{option: 0.5})
    batch = random_batch()
    np.testing.assert_allclose(
        np.asarray(dropping(batch, LENGTH)[0])[MASK],
        np.asarray(plain(batch, LENGTH)[0])[MASK],
        atol=1e-6,
    )
    first, first_final = dropping(batch, LENGTH, training=True)
    again, again_final = dropping(batch, LENGTH, training=True)
    assert not np.allclose(np.asarray(first)[MASK], np.asarray(again)[MASK])
    assert not np.allclose(first_final, again_final)


def test_round_trips_through_its_config() -> None:
    layer = built(
        merge="sum", dropout=0.1, recurrent_dropout=0.2, regularizer=keras.regularizers.L2(0.01)
    )
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.build((None, STEPS, FEATURES))
    copy.set_weights(layer.get_weights())

    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(random_batch(), LENGTH)[0], layer(random_batch(), LENGTH)[0])
    np.testing.assert_allclose(
        sum(copy.losses), 0.01 * sum((weight**2).sum() for weight in layer.get_weights()), rtol=1e-5
    )


def test_unknown_merge_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"reader\.merge: expected 'concat' or 'sum', got 'mul'"):
        BiLSTM(UNITS, merge="mul", name="reader")  # type: ignore[arg-type]
