"""The folded engine of an ensemble."""

from collections.abc import Sequence

import numpy as np

from model.folded.engine import FoldedEngine


class AverageEngine:
    """Runs the networks of an ensemble one after the other; safe to share between threads.

    Args:
        engines: of the networks, at least one.
    """

    def __init__(self, engines: Sequence[FoldedEngine]) -> None:
        self._engines = engines

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The means of probabilities and attention; see `model.scoring.engines.Engine`."""
        probabilities, attention = self._engines[0].run(ids, row_offsets)
        for engine in self._engines[1:]:
            more_probabilities, more_attention = engine.run(ids, row_offsets)
            probabilities = probabilities + more_probabilities
            attention = attention + more_attention
        count = np.float32(len(self._engines))
        return probabilities / count, attention / count
