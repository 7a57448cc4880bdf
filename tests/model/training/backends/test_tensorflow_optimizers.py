"""The optimizers make the steps that Keras's own make."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model.training.backends.tensorflow_optimizers import OPTIMIZERS

SHAPES = [(7, 3), (3,)]


def run_steps(optimizer: keras.optimizers.Optimizer, *, steps: int) -> list[np.ndarray]:
    """The variables after gradients that are the same for every optimizer."""
    random = np.random.default_rng(1)
    variables = [keras.Variable(random.normal(size=shape)) for shape in SHAPES]
    optimizer.build(variables)
    compiled = tf.function(lambda gradients: optimizer.apply(gradients, variables))
    for _ in range(steps):
        compiled([tf.constant(random.normal(size=shape), tf.float32) for shape in SHAPES])
    state: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(state)
    return [np.asarray(each) for each in (*variables, *state.values())]


@pytest.mark.parametrize("clip", [None, 0.5])
def test_adadelta_steps_as_keras_does_and_keeps_the_same_state(clip: float | None) -> None:
    ours = run_steps(OPTIMIZERS["adadelta"](1.0, global_clipnorm=clip), steps=20)
    theirs = run_steps(keras.optimizers.Adadelta(1.0, global_clipnorm=clip), steps=20)
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-7)


def test_adadelta_takes_sparse_gradients() -> None:
    """An embedding without a penalty has gradients for the rows of a batch only."""
    table = keras.Variable(np.ones((5, 2), np.float32))
    reference = keras.Variable(np.ones((5, 2), np.float32))
    rows = tf.IndexedSlices(tf.ones((2, 2)), tf.constant([1, 3]), tf.constant([5, 2]))
    OPTIMIZERS["adadelta"](1.0).apply([rows], [table])
    keras.optimizers.Adadelta(1.0).apply([tf.convert_to_tensor(rows)], [reference])
    np.testing.assert_allclose(table.numpy(), reference.numpy(), rtol=1e-6)
    assert (table.numpy() != 1).any(axis=1).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_clipping_adds_up_the_rows_of_one_token(name: str) -> None:
    """A sparse gradient is clipped like the dense gradient that it is equal to."""
    rows = tf.IndexedSlices(tf.constant([[3.0], [-2.0], [4.0]]), tf.constant([1, 1, 2]), (4, 1))
    optimizer = OPTIMIZERS[name](1.0, global_clipnorm=0.5)
    clipped = [tf.convert_to_tensor(each) for each in optimizer._clip_gradients([rows])]
    dense = tf.constant([[0.0], [1.0], [4.0], [0.0]])
    np.testing.assert_allclose(clipped[0], 0.5 * dense / np.sqrt(17), rtol=1e-6)
    assert optimizer._clip_gradients([dense, None])[1] is None
    free = OPTIMIZERS[name](1.0, global_clipnorm=5.0)._clip_gradients([dense])
    np.testing.assert_array_equal(free[0], dense)


def test_a_step_is_as_long_as_the_clip() -> None:
    table = keras.Variable(np.zeros((4, 1), np.float32))
    rows = tf.IndexedSlices(tf.constant([[3.0], [-2.0], [4.0]]), tf.constant([1, 1, 2]), (4, 1))
    OPTIMIZERS["sgd"](1.0, global_clipnorm=0.5).apply([rows], [table])
    assert np.linalg.norm(table.numpy()) == pytest.approx(0.5)
