"""Batches that report how many documents have been handed to the training."""

from collections.abc import Callable, Sequence

from typing_extensions import override

from model.training.backends.batch import Batch


class CountedBatches(Sequence[Batch]):
    """The batches of an epoch; the documents of each are reported once, when it is first taken.

    A callback of Keras would be called with the results of every step, and waiting for them would
    keep a GPU from computing ahead.

    Args:
        batches: of the epoch; they are taken in order, and perhaps some of the first ones again.
        batch_size: documents of a batch.
        documents: of the epoch.
        on_batch: called with the number of documents since the last call.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        *,
        batch_size: int,
        documents: int,
        on_batch: Callable[[int], None],
    ) -> None:
        self._batches = batches
        self._batch_size = batch_size
        self._documents = documents
        self._on_batch = on_batch
        self._reported = 0

    @override
    def __len__(self) -> int:
        return len(self._batches)

    @override
    def __getitem__(self, index: int) -> Batch:  # type: ignore[override]  # no slices
        batch = self._batches[index]
        taken = min((index + 1) * self._batch_size, self._documents)
        if taken > self._reported:
            self._on_batch(taken - self._reported)
            self._reported = taken
        return batch
