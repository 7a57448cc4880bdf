"""The engine `keras`: runs the Keras network on batches sorted by length; best on a GPU."""

import contextlib
from collections import deque

import keras
import numpy as np

from model.layers.forward import compile_forward, has_gpu, on_cpu
from model.layers.sequences import Tensor
from model.text.length_batches import CPU_BATCH_ROWS, sorted_batches

# A GPU computes a step of thousands of rows almost as fast as a step of a few.
GPU_BATCH_ROWS = 4096

# While the device computes one batch, the results of the one before are copied from it.
BATCHES_AT_ONCE = 2


class KerasEngine:
    """Runs a Keras network over flat token ids; `model.scoring.engines.Engine` has the contract.

    Args:
        network: it is compiled once; if its weights change later, the new ones are used.
        cpu: compute on the CPU, where the network was built, also if there is a GPU.
        full_precision: as for `compile_forward`.
    """

    def __init__(
        self, network: keras.Model, *, cpu: bool = False, full_precision: bool = False
    ) -> None:
        self._device = on_cpu if cpu else contextlib.nullcontext
        self._batch_rows = GPU_BATCH_ROWS if has_gpu() and not cpu else CPU_BATCH_ROWS
        self._labels = network.output["probabilities"].shape[-1]
        with self._device():
            self._forward = compile_forward(network, full_precision=full_precision)

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores documents given as flat token ids; a document may also have no token."""
        starts, lengths = row_offsets[:-1], np.diff(row_offsets)
        attention = np.empty(row_offsets[-1] - row_offsets[0], np.float32)
        probabilities = np.empty((len(lengths), self._labels), np.float32)
        pending: deque[tuple[np.ndarray, np.ndarray, tuple[Tensor, Tensor]]] = deque()

        def collect() -> None:
            rows, tokens, outputs = pending.popleft()
            probabilities[rows] = np.asarray(outputs[0])[: len(rows)]
            real = np.arange(tokens.shape[1]) < lengths[rows, None]
            weights = np.asarray(outputs[1])[: len(rows), : tokens.shape[1]]
            attention[tokens[real] - row_offsets[0]] = weights[real]

        with self._device():
            for rows in sorted_batches(lengths, self._batch_rows):
                steps = np.arange(max(1, lengths[rows[-1]]))
                tokens = starts[rows, None] + steps
                real = steps < lengths[rows, None]
                token_ids = np.zeros(tokens.shape, np.int32)
                token_ids[real] = ids[tokens[real]]
                outputs = self._forward(token_ids, lengths[rows].astype(np.int32))
                pending.append((rows, tokens, outputs))
                if len(pending) == BATCHES_AT_ONCE:
                    collect()
            while pending:
                collect()
        return probabilities, attention
