"""A Keras callback that reports how many documents were trained on."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from typing_extensions import override


class DocumentCounter(keras.callbacks.Callback):
    """Reports the documents of one epoch while they are trained on.

    Args:
        on_batch: called with the number of documents since the last call.
        documents: how many an epoch has.
        batch_size: documents per batch.
    """

    def __init__(self, on_batch: Callable[[int], None], *, documents: int, batch_size: int) -> None:
        super().__init__()
        self.on_batch = on_batch
        self.documents = documents
        self.batch_size = batch_size
        self.reported = 0

    @override
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        # Keras calls this once for several batches. It computes the index of the last of them as
        # though every call had the full number of batches, so the last index may be too high.
        trained = min((batch + 1) * self.batch_size, self.documents)
        self.on_batch(trained - self.reported)
        self.reported = trained
