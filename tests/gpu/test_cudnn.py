"""On a GPU the recurrent layers run as cuDNN's kernels; asserted from the trace, not by a clock."""

from typing import Any

import keras
import numpy as np
import pytest

from model.layers.bilstm import BiLSTM
from tests.gpu.kernels import count_kernels, cudnn_dtypes

LENGTH = np.array([7, 3, 1], "int32")
SEQUENCES = np.random.default_rng(0).normal(size=(3, 7, 5)).astype("float32")

pytestmark = pytest.mark.usefixtures("traced_for_gpu")


def make_layer(**arguments: Any) -> BiLSTM:
    layer = BiLSTM(4, **arguments)
    layer.build((None, 7, 5))
    return layer


def states(layer: BiLSTM, sequences: Any, *, training: bool = False) -> Any:
    return layer(sequences, LENGTH, training=training)[0]


def gradient(layer: BiLSTM, sequences: Any) -> Any:
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda inputs: states(layer, inputs, training=True).sum())(sequences)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        inputs = tf.convert_to_tensor(sequences)
        tape.watch(inputs)
        outputs = states(layer, inputs, training=True)
    return tape.gradient(outputs, inputs)


def test_both_directions_run_on_cudnn() -> None:
    layer = make_layer()
    found = count_kernels(lambda sequences: states(layer, sequences), SEQUENCES)
    assert found == {"lstm": 2, "lstm gradient": 0, "loop": 0}


def test_their_gradients_run_on_cudnn() -> None:
    layer = make_layer()
    found = count_kernels(lambda sequences: gradient(layer, sequences), SEQUENCES)
    assert found == {"lstm": 2, "lstm gradient": 2, "loop": 0}


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_in_half_precision_too(precision: str) -> None:
    layer = make_layer(dtype=precision)
    found = count_kernels(lambda sequences: gradient(layer, sequences), SEQUENCES)
    assert found == {"lstm": 2, "lstm gradient": 2, "loop": 0}
    if keras.backend.backend() == "jax":  # it compiles cuDNN's kernel for float32 alone
        assert cudnn_dtypes(lambda sequences: gradient(layer, sequences), SEQUENCES) == {"float32"}


def test_recurrent_dropout_runs_as_a_loop() -> None:
    layer = make_layer(recurrent_dropout=0.5)
    found = count_kernels(lambda sequences: states(layer, sequences, training=True), SEQUENCES)
    assert found["lstm"] == 0
    assert found["loop"] > 0
