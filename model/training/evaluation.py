"""Predictions of a model in training on the examples of a split, and their metrics."""

from collections.abc import Iterator, Sequence

import numpy as np

from model.layers.keras_engine import KerasEngine
from model.metrics.evaluation import Evaluation, evaluate
from model.training.examples import Examples
from model.training.wide_examples import WideBeside

# Documents that are predicted at once: their attention weights take 50 MB at 200 tokens.
ROWS_AT_ONCE = 65_536


def predict_parts(
    engine: KerasEngine, examples: Examples, wide: WideBeside | None = None
) -> Iterator[tuple[Examples, np.ndarray, np.ndarray]]:
    """Predicts the documents of a split, some ten thousand at a time.

    Args:
        engine: runs the network.
        examples: of the split.
        wide: the wide part of the model, if it has one.

    Yields:
        `(part, probabilities, attention)`: consecutive examples; float32 `(rows, labels)`;
        float32 `(tokens,)`.
    """
    for start in range(0, examples.rows, ROWS_AT_ONCE):
        part = examples.slice(start, min(start + ROWS_AT_ONCE, examples.rows))
        probabilities, attention = engine.run(part.ids, part.row_offsets)
        if wide is not None:
            probabilities = wide.combine(probabilities, part)
        yield part, probabilities, attention


def predict_split(
    engine: KerasEngine, examples: Examples, wide: WideBeside | None = None
) -> np.ndarray:
    """The probabilities of all documents of a split, float32 `(rows, labels)`."""
    return np.concatenate([each for _, each, _ in predict_parts(engine, examples, wide)])


def evaluate_split(engine: KerasEngine, examples: Examples, *, labels: Sequence[str]) -> Evaluation:
    """The metrics of the network on a split.

    Args:
        engine: runs the network.
        examples: of the split.
        labels: the label names, by index.
    """
    probabilities = predict_split(engine, examples)
    multilabel = examples.labels.ndim == 2
    return evaluate(probabilities, examples.labels, labels=labels, multilabel=multilabel)
