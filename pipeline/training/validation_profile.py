"""The profile of the validation documents, with which each scored corpus is compared for drift."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.layers.keras_engine import KerasEngine
from model.text.vocabulary import Vocabulary
from model.training.evaluation import predict_parts
from model.training.examples import Examples
from model.training.wide_examples import WideBeside
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.scoring.corpus_profile import profile_arrays


def profile_split(
    engine: KerasEngine,
    examples: Examples,
    vocabulary: Vocabulary,
    *,
    labels: Sequence[str],
    wide: WideBeside | None,
) -> dict[str, Any]:
    """Runs the model over a split and makes the same profile as a scoring run does.

    Args:
        engine: runs the network.
        examples: of the split.
        vocabulary: tells which ids stand for unknown tokens.
        labels: the label names, by index.
        wide: the wide part of the model, if it has one.

    Returns:
        Counts by measure, the sum of `profile_arrays` over all parts.
    """
    return add_counts(
        _profile_part(*part, vocabulary=vocabulary, labels=labels)
        for part in predict_parts(engine, examples, wide)
    )


def _profile_part(
    examples: Examples,
    probabilities: np.ndarray,
    attention: np.ndarray,
    *,
    vocabulary: Vocabulary,
    labels: Sequence[str],
) -> dict[str, Any]:
    best = np.bincount(probabilities.argmax(axis=1), minlength=len(labels))
    return profile_arrays(
        labels={label: int(count) for label, count in zip(labels, best, strict=True) if count},
        scores=probabilities.max(axis=1),
        lengths=np.diff(examples.row_offsets),
        oov_tokens=vocabulary.count_oov(examples.ids, examples.row_offsets),
        attention=attention,
    )
