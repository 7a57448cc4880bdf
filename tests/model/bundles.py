"""A small untrained model, written and sealed as training does it."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.bundle.golden import write_golden
from model.bundle.loading import load_bundle
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
from model.layers.classifier import build_classifier
from model.scoring.engine_scorer import EngineScorer
from model.scoring.golden import make_golden
from model.scoring.keras_engine import KerasEngine
from model.text.vocabulary import Vocabulary

TOKENS = ("the", "film", "was", "good", "bad", ".", "很", "好")
LABELS = ("neg", "pos", "so-so")
TEXTS = ("The film was good.", "bad bad BAD", "很好 👍🏽", "a")
TEXT = TextConfig(max_tokens=6, vocabulary_size=len(TOKENS))
NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=7), lstm=LSTMConfig(units=5))


def make_bundle(
    folder: Path,
    *,
    text: TextConfig = TEXT,
    network: NetworkConfig = NETWORK,
    labels: tuple[str, ...] = LABELS,
    spread: float | None = None,
    texts: tuple[str, ...] = TEXTS,
) -> Bundle:
    """Writes a model directory with random weights and golden documents.

    With `spread` every weight is normally distributed, the biases, too.
    """
    vocabulary = Vocabulary(TOKENS, oov_buckets=text.oov_buckets)
    built = build_classifier(
        network, ids=vocabulary.size, max_tokens=text.max_tokens, labels=len(labels)
    )
    if spread is not None:
        random = np.random.default_rng(0)
        built.set_weights([random.normal(0, spread, w.shape) for w in built.get_weights()])
    unsealed = write_bundle(
        folder,
        name="small",
        config=ModelConfig(text=text, network=network, training=TrainingConfig()),
        network=built,
        vocabulary=vocabulary,
        labels=labels,
    )
    write_golden(folder, make_golden(EngineScorer(unsealed, KerasEngine(built)), texts))
    seal(folder, vocabulary_ids=vocabulary.size)
    return load_bundle(folder)


def seal(folder: Path, **changes: object) -> None:
    """Writes a manifest that agrees with the files as they are."""
    files = describe_files(folder)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "model_version": "small/1",
        "fingerprint": model_fingerprint(files),
        "vocabulary_ids": 2 + len(TOKENS),
        "files": files,
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def texts_array(texts: tuple[str, ...] | list[str]) -> pa.StringArray:
    """A column of texts."""
    return pa.array(list(texts), pa.string())
