"""The engine `keras`: runs the Keras network on batches sorted by length; best on a GPU."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from model.layers.forward import trace_forward
from model.scoring.batches import sorted_batches
from model.scoring.engines import Engine
from model.text.padding import pad_ids


class KerasEngine(Engine):
    """Runs the Keras network over flat token ids.

    Args:
        network: it is traced once; if its weights change later, the new ones are used.
    """

    def __init__(self, network: keras.Model) -> None:
        self._forward = trace_forward(network)
        self._labels = network.output["probabilities"].shape[-1]

    @override
    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.diff(row_offsets)
        matrix = pad_ids(ids, row_offsets, max_tokens=int(lengths.max()))
        attention = np.empty(matrix.shape, dtype=np.float32)
        probabilities = np.empty((len(lengths), self._labels), dtype=np.float32)
        for rows in sorted_batches(lengths):
            steps = int(lengths[rows[-1]])
            outputs = self._forward(
                {
                    "token_ids": tf.constant(matrix[rows, :steps], tf.int32),
                    "length": tf.constant(lengths[rows], tf.int32),
                }
            )
            probabilities[rows] = outputs["probabilities"].numpy()
            attention[rows, :steps] = outputs["attention"].numpy()
        return probabilities, attention[np.arange(matrix.shape[1]) < lengths[:, None]]
