"""The LSTM as one TensorFlow operation, the fastest way to train it on a CPU.

Keras runs an LSTM on a CPU as a loop of about twenty small operations per step. TensorFlow's
`BlockLSTM` computes the same recurrence, and its gradient, in one compiled operation;
`python -m tests.benchmarks.bench_training` measures the gain. On a GPU, Keras's own layer is
faster, because it uses cuDNN.

On JAX, `keras.layers.LSTM` runs instead.
"""

import keras

from model.layers.forward import has_gpu
from model.layers.sequences import Tensor, reverse_from_time_major, reverse_into_time_major


def runs_as_block(dtype: str, *, cudnn: bool) -> bool:
    """Whether `run_block` is used: on TensorFlow, in float32, and where cuDNN's kernel is not."""
    return (
        keras.backend.backend() == "tensorflow" and dtype == "float32" and not (cudnn and has_gpu())
    )


def run_block(
    lstm: keras.layers.LSTM, sequences: Tensor, reverse_within: Tensor | None = None
) -> Tensor:
    """Computes the states of a built `keras.layers.LSTM` that has no recurrent dropout.

    Args:
        lstm: the layer whose weights are used.
        sequences: float32 `(batch, steps, features)`.
        reverse_within: lengths, int `(batch,)`, to read each row from its last real step to its
            first; None to read from the first step on.

    Returns:
        float32 `(batch, steps, units)`: at each step, the state after reading that step. States
        and gradients equal those of `lstm` with `return_sequences=True`, except for rounding.
    """
    import tensorflow as tf

    cell = lstm.cell
    weights = tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)
    if reverse_within is None:
        by_time = tf.transpose(sequences, (1, 0, 2))
    else:
        by_time = reverse_into_time_major(sequences, reverse_within)
    start = tf.zeros((tf.shape(by_time)[1], cell.units))
    no_peephole = tf.zeros((cell.units,))
    # Not the newer BlockLSTMV2: its gradient is wrong in TensorFlow 2.21.
    states = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(by_time)[0], tf.int64),
        x=by_time,
        cs_prev=start,
        h_prev=start,
        w=_reorder_gates(weights),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=_reorder_gates(tf.convert_to_tensor(cell.bias)),
        forget_bias=0.0,  # it is already in the bias of Keras's layer
        cell_clip=-1.0,  # no clipping
    ).h
    if reverse_within is None:
        return tf.transpose(states, (1, 0, 2))
    return reverse_from_time_major(states, reverse_within)


def _reorder_gates(values: Tensor) -> Tensor:
    """From Keras's order of gates (input, forget, cell, output) to input, cell, forget, output."""
    import tensorflow as tf

    input_gate, forget_gate, cell_gate, output_gate = tf.split(values, 4, axis=-1)
    return tf.concat([input_gate, cell_gate, forget_gate, output_gate], axis=-1)
