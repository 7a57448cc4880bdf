"""The engine `keras`: runs the Keras network on batches sorted by length; best on a GPU."""

import contextlib
import math
from collections import deque

import keras
import numpy as np

from model.layers.bilstm import BiLSTM
from model.layers.ensemble import members_of
from model.layers.forward import compile_forward, has_gpu, on_cpu
from model.layers.sequences import Tensor
from model.text.length_batches import CPU_BATCH_ROWS, sorted_batches
from model.text.padding_kernel import collect_rows, fill_rows

# A GPU computes a step of thousands of rows almost as fast as a step of a few. But cuDNN keeps the
# gates of every step: 4,096 rows of 200 steps and 512 units asked for 71 GB of memory, so batches
# are no larger than so many rows x steps x units.
GPU_BATCH_ROWS = 4096
GPU_BATCH_VOLUME = 2**27

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
        self._on_gpu = has_gpu() and not cpu
        self._labels = network.output["probabilities"].shape[-1]
        self._units = max(
            (
                layer.units
                for member in members_of(network)
                for layer in member.layers
                if isinstance(layer, BiLSTM)
            ),
            default=1,
        )
        with self._device():
            self._forward = compile_forward(network, full_precision=full_precision)

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores documents given as flat token ids; a document may also have no token."""
        starts, lengths = row_offsets[:-1] - row_offsets[0], np.diff(row_offsets)
        ids = ids[row_offsets[0] : row_offsets[-1]]
        attention = np.empty(len(ids), np.float32)
        probabilities = np.empty((len(lengths), self._labels), np.float32)
        pending: deque[tuple[np.ndarray, tuple[Tensor, Tensor]]] = deque()

        def collect() -> None:
            rows, outputs = pending.popleft()
            probabilities[rows] = np.asarray(outputs[0])[: len(rows)]
            collect_rows(np.asarray(outputs[1]), starts[rows], lengths[rows], attention)

        batch_rows = self._batch_rows(int(lengths.max(initial=1)))
        with self._device():
            for rows in sorted_batches(lengths, batch_rows):
                token_ids = np.zeros((len(rows), max(1, lengths[rows[-1]])), np.int32)
                fill_rows(ids, starts[rows], lengths[rows], token_ids)
                outputs = self._forward(token_ids, lengths[rows].astype(np.int32))
                pending.append((rows, outputs))
                if len(pending) == BATCHES_AT_ONCE:
                    collect()
            while pending:
                collect()
        return probabilities, attention

    def _batch_rows(self, steps: int) -> int:
        """The documents of a batch whose longest document has so many tokens."""
        if not self._on_gpu:
            return CPU_BATCH_ROWS
        fitting = GPU_BATCH_VOLUME // (steps * self._units)
        # A power of 4, so that JAX, which rounds rows up to one, adds none.
        return min(GPU_BATCH_ROWS, 4 ** int(math.log(max(fitting, 4), 4)))
