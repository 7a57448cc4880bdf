"""The LSTM as one TensorFlow operation: how a CPU trains it fastest.

Keras runs an LSTM on a CPU as a loop of some twenty small operations a step. TensorFlow's
`BlockLSTM` is the same recurrence in one compiled operation, gradient included;
`python -m tests.benchmarks.bench_training` measures what that gains. On a GPU Keras's own
layer stays the better choice, because it reaches cuDNN.

This is the one place where a layer knows its backend; elsewhere it runs as `keras.layers.LSTM`.
"""

import functools

import keras

from model.layers.sequences import Tensor, reverse_from_time_major, reverse_into_time_major


def runs_as_block(dtype: str) -> bool:
    """Whether an LSTM that computes in `dtype` is one operation on this process's devices."""
    return keras.backend.backend() == "tensorflow" and dtype == "float32" and not _has_gpu()


def run_block(
    lstm: keras.layers.LSTM, sequences: Tensor, reverse_within: Tensor | None = None
) -> Tensor:
    """The states of a built `keras.layers.LSTM` without recurrent dropout.

    Args:
        lstm: whose weights are used.
        sequences: float32 `(batch, steps, features)`.
        reverse_within: lengths, int `(batch,)`, if each row is to be read from its last real
            step to its first.

    Returns:
        float32 `(batch, steps, units)`, each state at the step that was read, equal to what
        `lstm` returns with `return_sequences=True` but for rounding; so are the gradients.
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
    # Not BlockLSTMV2, which is newer: its gradient is wrong in TensorFlow 2.21.
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
        forget_bias=0.0,  # Keras keeps it in the bias
        cell_clip=-1.0,  # none
    ).h
    if reverse_within is None:
        return tf.transpose(states, (1, 0, 2))
    return reverse_from_time_major(states, reverse_within)


def _reorder_gates(values: Tensor) -> Tensor:
    """From Keras's order of gates (input, forget, cell, output) to input, cell, forget, output."""
    import tensorflow as tf

    gate_in, gate_forget, gate_cell, gate_out = tf.split(values, 4, axis=-1)
    return tf.concat([gate_in, gate_cell, gate_forget, gate_out], axis=-1)


@functools.cache
def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))
