"""On a GPU the recurrent layers run on cuDNN and compute what a CPU computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from model.layers.bilstm import BiLSTM
from model.layers.block_lstm import runs_as_block

pytestmark = pytest.mark.gpu

LENGTH = np.array([7, 3, 1], "int32")
MASK = np.arange(7) < LENGTH[:, None]


@pytest.fixture(autouse=True)
def gpu() -> None:
    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow sees no GPU")


def make_layer() -> BiLSTM:
    keras.utils.set_random_seed(1)
    layer = BiLSTM(4)
    layer.build((None, 7, 5))
    return layer


@pytest.mark.parametrize("training", [False, True])
def test_both_directions_run_on_cudnn(training: bool) -> None:
    layer = make_layer()
    assert not runs_as_block("float32")

    @tf.function
    def run(sequences: tf.Tensor) -> tf.Tensor:
        states, _ = layer(sequences, LENGTH, training=training)
        return states

    graph = run.get_concrete_function(tf.TensorSpec((3, 7, 5), tf.float32)).graph
    kernels = [operation.type for operation in graph.get_operations()]
    assert sum(kernel.startswith("CudnnRNN") for kernel in kernels) == 2
    assert "While" not in kernels
    assert "StatelessWhile" not in kernels


def test_cudnn_computes_what_the_cpu_computes() -> None:
    layer = make_layer()
    sequences = np.random.default_rng(0).normal(size=(3, 7, 5)).astype("float32")
    on_gpu, _ = layer(sequences, LENGTH)
    reference = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    with tf.device("CPU:0"):
        reference.build((None, 7, 5))
        reference.set_weights(layer.get_weights())
        on_cpu = np.asarray(reference(sequences, mask=MASK))
    # cuDNN may round products to TF32.
    np.testing.assert_allclose(np.asarray(on_gpu)[MASK], on_cpu[MASK], atol=2e-3)
