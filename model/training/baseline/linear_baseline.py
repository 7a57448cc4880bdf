"""TF-IDF with logistic regression, tuned on validation: what a network has to be better than."""

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from model.config import TrainingConfig
from model.metrics.evaluation import Evaluation
from model.metrics.paired import right_predictions
from model.text.cutting import Cut
from model.text.vocabulary import Vocabulary
from model.training.baseline.features import make_features
from model.training.baseline.tuning import STRENGTHS, BaselineFitting, Choice
from model.training.examples import Examples
from model.training.targets import most_likely_labels


class BaselineSkipped(Exception):  # noqa: N818 - not an error
    """No baseline can be fitted to these documents; the message, a clause, says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearBaseline:
    """A fitted baseline as it was measured.

    Attributes:
        characters: whether its terms include runs of characters, not only words and pairs.
        strength: C of the logistic regression.
        seconds: how long everything took.
        notes: sentences on what was left out to bound the time, and on what was not tuned.
        evaluations: on validation and test, as far as the dataset has these splits.
        right: which of the measured documents of each split it predicts right, bool `(rows,)`:
            those of `spread_rows`, if not all were measured.
    """

    characters: bool
    strength: float
    seconds: float
    notes: Sequence[str]
    evaluations: Mapping[str, Evaluation]
    right: Mapping[str, np.ndarray]


def fit_linear_baseline(
    splits: Mapping[str, Examples],
    *,
    vocabulary: Vocabulary,
    cut: Cut,
    labels: Sequence[str],
    config: TrainingConfig,
) -> LinearBaseline:
    """Fits a baseline to `train`, tuned on `validation`, and measures it on the other splits.

    C, and whether runs of characters are terms, are chosen by `training.monitor` on validation, and
    by the log loss among equal ones. Documents weigh what they weigh in the network's training. A
    training document without a label gets the most likely one of its soft labels.

    Args:
        splits: the examples of the dataset by split; those of validation and test have labels.
        vocabulary: of the dataset.
        cut: the dataset's `text.cut`.
        labels: the label names, by index.
        config: of the network's training.

    Raises:
        BaselineSkipped: if the documents allow no baseline.
    """
    begun = time.monotonic()
    splits = {**splits, "train": _label(splits["train"])}
    _check(splits)
    features = make_features(splits, vocabulary=vocabulary, cut=cut, labels=len(labels))
    if not features.words["train"].nnz:
        raise BaselineSkipped("no training document has a token")
    fitting = BaselineFitting(features, labels=labels, config=config)
    tuned = "validation" in splits
    choice = fitting.tune() if tuned else fitting.untuned()
    evaluations, right = {}, {}
    for split in splits:
        if split != "train":
            probabilities, truth = fitting.predict(choice, split), features.examples[split].labels
            evaluations[split] = fitting.evaluate(probabilities, split)
            right[split] = right_predictions(probabilities, truth, multilabel=truth.ndim == 2)
    return LinearBaseline(
        characters=choice.characters,
        strength=STRENGTHS[choice.strength],
        seconds=time.monotonic() - begun,
        notes=[*features.notes, *_describe_tuning(fitting, choice, tuned=tuned)],
        evaluations=evaluations,
        right=right,
    )


def _label(train: Examples) -> Examples:
    if train.soft_labels is None:
        return train
    return dataclasses.replace(train, labels=most_likely_labels(train.labels, train.soft_labels))


def _check(splits: Mapping[str, Examples]) -> None:
    train = splits["train"]
    if len(splits) == 1:
        raise BaselineSkipped("there is neither a validation nor a test split to measure it on")
    counted = train.labels[train.weights > 0]
    if not len(counted):
        raise BaselineSkipped("no training document has a weight above 0")
    if (counted == counted[0]).all():
        raise BaselineSkipped("all training documents have the same label")


def _describe_tuning(fitting: BaselineFitting, choice: Choice, *, tuned: bool) -> Iterator[str]:
    if fitting.rows_fitted(choice) < fitting.rows:
        yield f"It was fitted to {fitting.rows_fitted(choice):,} training documents."
    if not tuned:
        yield "It was not tuned, because there is no validation split."
    elif fitting.rows_tuned(choice) < fitting.rows_fitted(choice):
        yield f"It was tuned with {fitting.rows_tuned(choice):,} training documents."
