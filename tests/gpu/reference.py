"""The states of a `BiLSTM` in float64, by NumPy."""

import keras
import numpy as np

from model.layers.bilstm import BiLSTM


def reference_states(layer: BiLSTM, sequences: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The states of both directions in float64, by NumPy."""
    forward = _states(layer.forward_lstm, sequences, length)
    backward = _states(layer.backward_lstm, _reversed(sequences, length), length)
    return np.concatenate([forward, _reversed(backward, length)], axis=-1)


def _reversed(sequences: np.ndarray, length: np.ndarray) -> np.ndarray:
    result = sequences.copy()
    for row, steps in enumerate(length):
        result[row, :steps] = sequences[row, :steps][::-1]
    return result


def _states(lstm: keras.layers.LSTM, sequences: np.ndarray, length: np.ndarray) -> np.ndarray:
    kernel, recurrent, bias = (np.asarray(value, np.float64) for value in lstm.get_weights()[:3])
    state = cell = np.zeros((len(sequences), len(recurrent)))
    states = []
    for step in range(sequences.shape[1]):
        gates = sequences[:, step].astype(np.float64) @ kernel + state @ recurrent + bias
        input_gate, forget_gate, candidate, output_gate = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget_gate) * cell + _sigmoid(input_gate) * np.tanh(candidate)
        state = _sigmoid(output_gate) * np.tanh(cell)
        states.append(state)
    return np.stack(states, axis=1)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(values / 2)) / 2
