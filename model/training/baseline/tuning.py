"""Chooses the terms and the penalty of the baseline by its scores on validation."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.config import TrainingConfig
from model.metrics.evaluation import Evaluation, evaluate
from model.metrics.names import LOSS
from model.training.baseline.features import BaselineFeatures
from model.training.baseline.logistic_regression import Predict, fit_logistic_regression
from model.training.baseline.term_counts import Counts
from model.training.class_weights import balance_documents
from model.training.samples import spread_rows

# The values of C. From the first one that is tried, steps are made as long as they help.
STRENGTHS = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)
FIRST = STRENGTHS.index(4.0)

# Bounds on time: terms of all training documents x regressions.
MAX_PRODUCTS = 400_000_000
MAX_TUNING_PRODUCTS = 20_000_000  # of each fit while tuning


class Choice(NamedTuple):
    """What is chosen by validation.

    Attributes:
        characters: whether runs of characters are terms, too.
        strength: a position in `STRENGTHS`.
    """

    characters: bool
    strength: int


class BaselineFitting:
    """Fits and measures the regressions of one baseline.

    Args:
        features: of all splits.
        labels: the label names, by index.
        config: of the network's training: its monitored metric and its class weights are used.
    """

    def __init__(
        self, features: BaselineFeatures, *, labels: Sequence[str], config: TrainingConfig
    ) -> None:
        self._features = features
        self._labels = labels
        self._monitor = config.monitor
        train = features.examples["train"]
        balanced = config.class_weights == "balanced"
        self._weights = train.weights * (balance_documents(train.labels) if balanced else 1)
        self._fits: dict[tuple[Choice, int], Predict] = {}
        self._scores: dict[Choice, tuple[float, float]] = {}

    def tune(self) -> Choice:
        """The choice that is best on validation; among equal ones, words and pairs alone."""
        words = self._climb(Choice(characters=False, strength=FIRST))
        if self._features.both is None:
            return words
        both = self._climb(words._replace(characters=True))
        return max(words, both, key=self._score)

    def untuned(self) -> Choice:
        """The choice where no validation split can tell a better one."""
        return Choice(characters=self._features.both is not None, strength=FIRST)

    def predict(self, choice: Choice, split: str) -> np.ndarray:
        """Probabilities `(rows, labels)` of the documents of a split."""
        return self._predict(choice, split, rows=self.rows_fitted(choice))

    def evaluate(self, probabilities: np.ndarray, split: str) -> Evaluation:
        """The metrics of predictions."""
        truth = self._features.examples[split].labels
        multilabel = truth.ndim == 2
        return evaluate(probabilities, truth, labels=self._labels, multilabel=multilabel)

    @property
    def rows(self) -> int:
        """How many training documents there are."""
        return self._features.examples["train"].rows

    def rows_fitted(self, choice: Choice) -> int:
        """How many training documents a choice is fitted to."""
        return self._affordable(choice, MAX_PRODUCTS)

    def rows_tuned(self, choice: Choice) -> int:
        """How many training documents a choice is fitted to while tuning."""
        return self._affordable(choice, MAX_TUNING_PRODUCTS)

    def _climb(self, start: Choice) -> Choice:
        """Steps to smaller C, which is faster to fit, while that helps; otherwise to larger C."""
        best = start
        for step in (-1, 1):
            while 0 <= best.strength + step < len(STRENGTHS):
                further = best._replace(strength=best.strength + step)
                if self._score(further) <= self._score(best):
                    break
                best = further
            if best != start:
                break
        return best

    def _score(self, choice: Choice) -> tuple[float, float]:
        """What is compared on validation: the monitored metric, then the log loss."""
        if choice not in self._scores:
            probabilities = self._predict(choice, "validation", rows=self.rows_tuned(choice))
            measured: Any = self.evaluate(probabilities, "validation")
            loss = -measured[LOSS]
            monitored = loss if self._monitor == LOSS else measured[self._monitor]
            self._scores[choice] = (monitored, loss)
        return self._scores[choice]

    def _predict(self, choice: Choice, split: str, *, rows: int) -> np.ndarray:
        if (choice, rows) not in self._fits:
            features = self._features_of(choice)["train"]
            chosen = spread_rows(features.shape[0], rows)
            self._fits[choice, rows] = fit_logistic_regression(
                features if rows == features.shape[0] else features[chosen],
                self._features.examples["train"].labels[chosen],
                weights=self._weights[chosen],
                labels=len(self._labels),
                strength=STRENGTHS[choice.strength],
            )
        return self._fits[choice, rows](self._features_of(choice)[split])

    def _features_of(self, choice: Choice) -> Counts:
        both = self._features.both
        return both if choice.characters and both is not None else self._features.words

    def _affordable(self, choice: Choice, products: int) -> int:
        features = self._features_of(choice)["train"]
        share = products / max(1, features.nnz * self._features.regressions)
        return max(1, int(features.shape[0] * min(1.0, share)))
