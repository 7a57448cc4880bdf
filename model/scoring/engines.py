"""What an engine is, and which ones `auto` may stand for on this machine."""

from typing import Protocol

import numpy as np

from model.config import EngineName
from model.runtime.gpu_files import machine_has_gpu


class Engine(Protocol):
    """Runs a network over documents given as flat token ids."""

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores documents.

        Args:
            ids: int32 `(tokens,)`, the documents end to end.
            row_offsets: int64 `(rows + 1,)`; document i is
                `ids[row_offsets[i] : row_offsets[i + 1]]`, of 1 to `max_tokens` tokens.

        Returns:
            `(probabilities, attention)`: float32 `(rows, labels)` and float32
            `(tokens,)`, in the order of the documents.
        """


def candidate_engines(engine: EngineName) -> list[EngineName]:
    """The engines that `engine` may stand for on this machine.

    `auto` is the folded engine, and on a machine with a GPU that Keras can use also the engine
    keras: which of the two is faster depends on the network and on both processors.
    """
    if engine != "auto":
        return [engine]
    if not machine_has_gpu():
        return ["folded"]
    from model.layers.forward import has_gpu

    return ["folded", "keras"] if has_gpu() else ["folded"]
