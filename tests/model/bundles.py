"""Untrained models, written and sealed as training does it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.bundle.bundle import Bundle
from model.bundle.file_names import HDF5_WEIGHTS, MANIFEST, WEIGHTS
from model.bundle.golden import write_golden
from model.bundle.loading import load_bundle
from model.bundle.manifest import SCHEMA_VERSION, describe_files, model_fingerprint
from model.bundle.writing import write_bundle
from model.config import (
    EmbeddingConfig,
    LSTMConfig,
    ModelConfig,
    NetworkConfig,
    ResolvedTextConfig,
    ResolvedTrainingConfig,
)
from model.text.markers import marker_ids
from model.text.vocabulary import Vocabulary
from model.weights import Weights
from model.wide.wide_part import wide_shapes

TOKENS = ("the", "film", "was", "good", "bad", ".", "很", "好")
LABELS = ("neg", "pos", "so-so")
TEXTS = ("The film was good.", "bad bad BAD", "很好 👍🏽", "a")
TEXT = ResolvedTextConfig(max_tokens=6, vocabulary_size=len(TOKENS))
TRAINING = ResolvedTrainingConfig(epochs=1)
NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=7), lstm=LSTMConfig(units=5), wide=None)


def write_untrained_model(
    folder: Path,
    *,
    config: ModelConfig,
    tokens: Sequence[str],
    labels: tuple[str, ...],
    golden_texts: Sequence[str],
    spread: float | None = None,
    wide: bool = False,
    manifest: Mapping[str, object] | None = None,
) -> None:
    """Writes a model directory with random weights, golden documents and a manifest.

    `manifest` has further fields of the manifest, or other values for them.
    With `spread` every weight, the biases too, is drawn from a normal distribution with this
    standard deviation. With `wide` the wide part that the config names has random weights; without,
    the model has none. Keras is imported here and not above: some processes import this module
    and never write a model.
    """
    from model.layers.classifier import build_classifier
    from model.layers.keras_engine import KerasEngine
    from model.scoring.engine_scorer import EngineScorer
    from model.scoring.golden_check import make_golden

    vocabulary = Vocabulary(tokens, oov_buckets=config.text.oov_buckets)
    network = build_classifier(
        config.network,
        ids=vocabulary.size,
        max_tokens=config.text.max_tokens,
        labels=len(labels),
        markers=marker_ids(config.network.entities, config.text, vocabulary),
    )
    if spread is not None:
        random = np.random.default_rng(0)
        network.set_weights([random.normal(0, spread, w.shape) for w in network.get_weights()])
    unsealed = write_bundle(
        folder,
        name="small",
        config=config,
        network=network,
        vocabulary=vocabulary,
        labels=labels,
        wide=random_wide_part(config, vocabulary, labels=len(labels)) if wide else None,
    )
    scorer = EngineScorer(unsealed, KerasEngine(network))
    write_golden(folder, make_golden(scorer, golden_texts))
    seal(folder, **{"vocabulary_ids": vocabulary.size, **(manifest or {})})


def random_wide_part(config: ModelConfig, vocabulary: Vocabulary, *, labels: int) -> Weights:
    """Weights of the wide part of a config, each from the standard normal distribution."""
    network = config.network
    assert network.wide is not None
    shapes = wide_shapes(network.wide, ids=vocabulary.size, labels=labels, head=network.head)
    random = np.random.default_rng(0)
    weights = {name: random.normal(0, 1, shape).astype("f4") for name, shape in shapes.items()}
    return {**weights, "mix": np.array([0.7, 1.2], "f4")}


def make_bundle(
    folder: Path,
    *,
    text: ResolvedTextConfig = TEXT,
    network: NetworkConfig = NETWORK,
    training: ResolvedTrainingConfig = TRAINING,
    labels: tuple[str, ...] = LABELS,
    spread: float | None = None,
    texts: tuple[str, ...] = TEXTS,
    wide: bool = False,
) -> Bundle:
    """Writes an untrained model that knows `TOKENS`, and loads it."""
    write_untrained_model(
        folder,
        config=ModelConfig(text=text, network=network, training=training),
        tokens=TOKENS,
        labels=labels,
        golden_texts=texts,
        spread=spread,
        wide=wide,
    )
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
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def make_old(folder: Path) -> None:
    """Makes a bundle one of schema 1: its weights are in HDF5, as Keras writes them."""
    load_bundle(folder).build_network().save_weights(folder / HDF5_WEIGHTS)
    (folder / WEIGHTS).unlink()
    seal(folder, schema_version=1)


def texts_array(texts: tuple[str, ...] | list[str]) -> pa.StringArray:
    """A column of texts."""
    return pa.array(list(texts), pa.string())
