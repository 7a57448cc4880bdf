"""The batches of an epoch of a language model: documents, candidates, numbers of predictions."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from model.text.vocabulary import PAD
from model.training.backends.batch import Batch
from model.training.pretraining.candidates import draw_candidates


class TokenBatches(Sequence[Batch]):
    """Adds to the batches of documents what a language model needs.

    A batch is `(inputs, predictions, weights)`: the inputs of
    `model.training.pretraining.language_model`; the weights of the
    predictions of each document added up, float32 `(rows,)`; and for each row rows / the sum of
    these, float32 `(rows,)`. Keras takes the mean of the weighted rows, which is then the weighted
    mean loss of a prediction.

    Args:
        batches: from `model.training.batches.training_batches`.
        first_token_id: of the vocabulary.
        token_weights: from `weigh_tokens`, `(ids,)`.
        negative_samples: how many candidates a step has.
        seed: with `epoch`, determines the candidates of every batch.
        epoch: its number.
        directions: in how many the model reads, 1 or 2.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        *,
        first_token_id: int,
        token_weights: np.ndarray,
        negative_samples: int,
        seed: int,
        epoch: int,
        directions: int,
    ) -> None:
        self._batches = batches
        self._first_token_id = first_token_id
        self._token_weights = token_weights
        self._negative_samples = negative_samples
        self._seed = (seed, epoch)
        self._directions = directions

    @override
    def __len__(self) -> int:
        return len(self._batches)

    @override
    def __getitem__(self, index: int) -> Batch:  # type: ignore[override]  # no slices
        inputs, _, weights = self._batches[index]
        drawn = draw_candidates(
            np.random.default_rng((*self._seed, index)),
            tokens=len(self._token_weights) - self._first_token_id,
            wanted=self._negative_samples,
        )
        counts = weigh_predictions(
            inputs["token_ids"], self._token_weights, directions=self._directions
        )
        rows = len(weights)
        each = np.full(rows, rows / max(1e-9, counts.sum()), np.float32)
        added = {
            "candidates": (self._first_token_id + drawn.ranks).astype(np.int32),
            "draws": np.array([drawn.draws], np.float32),
        }
        return {**inputs, **added}, counts.astype(np.float32), each


def weigh_predictions(
    token_ids: np.ndarray, token_weights: np.ndarray, *, directions: int
) -> np.ndarray:
    """The weights of all predictions of each padded document added up, float32 `(rows,)`.

    Forward, all known tokens but the first are predicted; backward, all but the last.
    """
    weights = token_weights[token_ids]
    forward = weights[:, 1:].sum(axis=1)
    if directions == 1:
        return forward
    return forward + (weights[:, :-1] * (token_ids[:, 1:] != PAD)).sum(axis=1)
