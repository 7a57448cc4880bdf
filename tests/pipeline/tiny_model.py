"""A model small enough to be made anew in every test run."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model.bundle.bundle import Bundle
from model.bundle.file_names import MANIFEST
from model.bundle.golden import write_golden
from model.bundle.manifest import SCHEMA_VERSION, describe_files, model_fingerprint
from model.bundle.writing import write_bundle
from model.config import (
    EmbeddingConfig,
    LSTMConfig,
    ModelConfig,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
)
from model.text.vocabulary import Vocabulary

LABELS = ("long", "short")
TOKENS = ("good", "bad", "so", "poison")
CONFIG = ModelConfig(
    text=TextConfig(max_tokens=6),
    network=NetworkConfig(embedding=EmbeddingConfig(units=3), lstm=LSTMConfig(units=2)),
    training=TrainingConfig(),
)


@dataclasses.dataclass(frozen=True)
class LengthEngine:
    """An engine without a network: the more tokens, the likelier `long`; equal attention."""

    fails_on: Callable[[np.ndarray], bool] | None = None

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.fails_on is not None and self.fails_on(ids):
            raise ArithmeticError("not with these tokens")
        lengths = np.diff(row_offsets)
        long = lengths / (lengths + 1.5)
        probabilities = np.stack([long, 1 - long], axis=1).astype(np.float32)
        return probabilities, np.repeat(1 / lengths, lengths).astype(np.float32)


def unsaved_bundle(folder: Path) -> Bundle:
    """The model's vocabulary, labels and config, without a network."""
    return Bundle(
        folder=folder,
        config=CONFIG,
        vocabulary=Vocabulary(TOKENS, oov_buckets=1),
        labels=LABELS,
        manifest={"model_version": "tiny/1"},
    )


def write_model(folder: Path, *, labels: tuple[str, ...] = LABELS) -> str:
    """Writes a whole model directory with random weights; returns its path."""
    from model.layers.classifier import build_classifier
    from model.scoring.engine_scorer import EngineScorer
    from model.scoring.golden import make_golden
    from model.scoring.keras_engine import KerasEngine

    vocabulary = Vocabulary(TOKENS, oov_buckets=1)
    network = build_classifier(
        CONFIG.network,
        ids=vocabulary.size,
        max_tokens=CONFIG.text.max_tokens,
        labels=len(labels),
    )
    bundle = write_bundle(
        folder, name="tiny", config=CONFIG, network=network, vocabulary=vocabulary, labels=labels
    )
    scorer = EngineScorer(bundle, KerasEngine(network))
    write_golden(folder, make_golden(scorer, ["good", "so bad a day", "日本"]))
    files = describe_files(folder)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "model_version": "tiny/1",
        "fingerprint": model_fingerprint(files),
        "vocabulary_ids": vocabulary.size,
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return str(folder)
