"""Scorers that need no trained network, and the ids and reasons of scored batches."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from model.scoring.engine_scorer import EngineScorer
from model.scoring.scorer import Scorer
from pipeline.corpora.scoring.predictions import PredictionContext, ScoredBatch
from tests.pipeline.tiny_model import LengthEngine, unsaved_bundle

CONTEXT = PredictionContext(run_id="run")


@dataclasses.dataclass(frozen=True)
class FixedEngine:
    """Returns the given attention; the first weight of a row is its first probability."""

    attention: list[float]

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights = np.array(self.attention, np.float32)
        first = weights[row_offsets[:-1]]
        return np.stack([first, 1 - first], axis=1), weights


def fixed_scorer(attention: list[float]) -> Scorer:
    return EngineScorer(unsaved_bundle(Path("nowhere")), FixedEngine(attention))


def scorer_of(fails_on: Callable[[np.ndarray], bool] | None = None) -> Scorer:
    return EngineScorer(unsaved_bundle(Path("nowhere")), LengthEngine(fails_on=fails_on))


def ids_of(parts: Sequence[ScoredBatch]) -> list[str]:
    return [i for part in parts for i in part.predictions.column("document_id").to_pylist()]


def reasons_of(parts: Sequence[ScoredBatch]) -> dict[str, str]:
    return {
        row["document_id"]: row["reason"]
        for part in parts
        for rejections in part.rejections
        for row in rejections.to_pylist()
    }
