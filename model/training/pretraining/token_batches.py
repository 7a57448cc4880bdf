"""The batches of an epoch of a language model: documents, candidates, numbers of predictions."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from model.text.vocabulary import PAD, Vocabulary
from model.training.backends.batch import Batch
from model.training.pretraining.candidates import draw_candidates


class TokenBatches(Sequence[Batch]):
    """Adds to the batches of documents what a language model needs.

    A batch is `(inputs, predictions, weights)`: the inputs of
    `model.training.pretraining.language_model`; how many tokens each document has to predict,
    float32 `(rows,)`; and for each row rows / all of these predictions, float32 `(rows,)`. Keras
    takes the mean of the weighted rows, which is then the mean loss of a prediction.

    Args:
        batches: from `model.training.batches.training_batches`.
        vocabulary: of the documents.
        negative_samples: how many candidates a step has.
        seed: with `epoch`, determines the candidates of every batch.
        epoch: its number.
        directions: in how many the model reads, 1 or 2.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        *,
        vocabulary: Vocabulary,
        negative_samples: int,
        seed: int,
        epoch: int,
        directions: int,
    ) -> None:
        self._batches = batches
        self._vocabulary = vocabulary
        self._negative_samples = negative_samples
        self._seed = (seed, epoch)
        self._directions = directions

    @override
    def __len__(self) -> int:
        return len(self._batches)

    @override
    def __getitem__(self, index: int) -> Batch:  # type: ignore[override]  # no slices
        inputs, _, weights = self._batches[index]
        first = self._vocabulary.first_token_id
        drawn = draw_candidates(
            np.random.default_rng((*self._seed, index)),
            tokens=len(self._vocabulary.tokens),
            wanted=self._negative_samples,
        )
        counts = count_predictions(inputs["token_ids"], first, directions=self._directions)
        rows = len(weights)
        each = np.full(rows, rows / max(1, counts.sum()), np.float32)
        added = {
            "candidates": (first + drawn.ranks).astype(np.int32),
            "draws": np.array([drawn.draws], np.float32),
        }
        return {**inputs, **added}, counts.astype(np.float32), each


def count_predictions(token_ids: np.ndarray, first_token_id: int, *, directions: int) -> np.ndarray:
    """How many tokens of each padded document are predicted, int64 `(rows,)`.

    Forward, all known tokens but the first are; backward, all but the last.
    """
    second_is_real = token_ids[:, 1:] != PAD
    forward = (token_ids[:, 1:] >= first_token_id).sum(axis=1)
    if directions == 1:
        return forward
    return forward + ((token_ids[:, :-1] >= first_token_id) & second_is_real).sum(axis=1)
