"""The interface of all scorers, which turn texts into predictions."""

import abc

import numpy as np
import pyarrow as pa

from model.bundle.bundle import Bundle


class Scorer(abc.ABC):
    """Scores texts with one model; safe to share between threads.

    Args:
        bundle: the model.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    @abc.abstractmethod
    def score(self, texts: pa.StringArray) -> tuple[pa.RecordBatch, np.ndarray]:
        """Scores a column of texts.

        Args:
            texts: no nulls.

        Returns:
            `(predictions, scored)`: a batch with the columns from `label` to
            `text_sha256` of a predictions row, one row for each text that has a
            token; and bool `(len(texts),)`, False where a text has none.
        """
