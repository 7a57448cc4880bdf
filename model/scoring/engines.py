"""What an engine is, and which one `auto` stands for on this machine."""

from pathlib import Path
from typing import Protocol

import numpy as np

from model.config import EngineName

# Device files of an NVIDIA GPU. Checking for them is free; asking TensorFlow would import it,
# which takes about 4 s.
GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")


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


def choose_engine(engine: EngineName) -> EngineName:
    """The engine that `auto` stands for on this machine: folded on a CPU, keras on a GPU."""
    if engine != "auto":
        return engine
    if not any(Path(device).exists() for device in GPU_DEVICES):
        return "folded"
    import tensorflow as tf

    return "keras" if tf.config.list_physical_devices("GPU") else "folded"
