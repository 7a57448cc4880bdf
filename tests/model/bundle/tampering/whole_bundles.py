"""Small whole models without Keras: random weights, and every file that training writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from model.bundle.bundle import Bundle
from model.bundle.file_names import (
    BASELINE,
    CONFIG,
    GALLERY,
    HDF5_WEIGHTS,
    HISTORY,
    LABELS,
    MANIFEST,
    METRICS,
    PROFILE,
    STATISTICS,
    VOCABULARY,
    WEIGHTS,
    WIDE_WEIGHTS,
)
from model.bundle.golden import write_golden
from model.bundle.lines import write_lines
from model.bundle.manifest import SCHEMA_VERSION, describe_files, model_fingerprint
from model.bundle.weights_file import write_weights
from model.config import (
    AttentionConfig,
    AttentionKind,
    EmbeddingConfig,
    LSTMConfig,
    ModelConfig,
    NetworkConfig,
    ResolvedTextConfig,
    ResolvedTrainingConfig,
    WideConfig,
    to_plain,
)
from model.scoring.engine_scorer import EngineScorer
from model.scoring.golden_check import make_golden
from model.text.vocabulary import Vocabulary
from model.weights import Weights, join_members, weight_shapes
from model.wide.wide_part import WIDE, wide_shapes

TOKENS = ("the", "film", "was", "good", "bad", ".")
NAMES = ("neg", "pos", "so-so")
TEXTS = ("The film was good.", "bad bad BAD", "a")
SHARES = {"documents": 3, "label": {"neg": 1, "pos": 2}, "score": {"0.5": 2, "0.61": 1}}


def make_config(
    kind: AttentionKind = "zhou", *, wide: bool = False, members: int = 1, **lstm: Any
) -> ModelConfig:
    """The config of a small network; `lstm` has settings of the recurrent layers."""
    return ModelConfig(
        text=ResolvedTextConfig(max_tokens=6, vocabulary_size=len(TOKENS)),
        network=NetworkConfig(
            embedding=EmbeddingConfig(units=3),
            lstm=LSTMConfig(**{"units": 5, **lstm}),
            attention=AttentionConfig(kind=kind, units=4, heads=2),
            wide=WideConfig(bigram_bits=8, character_bits=8) if wide else None,
        ),
        training=ResolvedTrainingConfig(
            epochs=1, seeds=tuple(range(1, members + 1)), ensemble=members > 1
        ),
    )


def write_whole(folder: Path, config: ModelConfig, *, hdf5: bool = False) -> None:
    """Writes a model with all files, that is accepted."""
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(yaml.safe_dump({"name": "small", **to_plain(config)}))
    vocabulary = Vocabulary(TOKENS, oov_buckets=1)
    vocabulary.to_file(folder / VOCABULARY)
    write_lines(folder / LABELS, NAMES)
    members = [
        random_weights(config, seed=seed, ids=vocabulary.size) for seed in config.training.seeds
    ]
    write_weights(folder / WEIGHTS, join_members(members))
    network = config.network
    if network.wide is not None:
        shapes = wide_shapes(network.wide, ids=vocabulary.size, labels=3, head=network.head)
        write_weights(folder / WIDE_WEIGHTS, {WIDE: fill(shapes, np.random.default_rng(0))})
    bundle = Bundle(folder=folder, config=config, vocabulary=vocabulary, labels=NAMES, manifest={})
    scorer = EngineScorer(bundle, bundle.make_folded_engine(threads=1))
    write_golden(folder, make_golden(scorer, TEXTS))
    if hdf5:
        write_hdf5(folder / HDF5_WEIGHTS, members[0])
        (folder / WEIGHTS).unlink()
    _write_side_files(folder)
    files = describe_files(folder)
    manifest = {
        "schema_version": 1 if hdf5 else SCHEMA_VERSION,
        "model_version": "small/1",
        "fingerprint": model_fingerprint(files),
        "vocabulary_ids": vocabulary.size,
        "files": files,
        **RUN,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))


def random_weights(config: ModelConfig, *, seed: int, ids: int) -> dict[str, Weights]:
    shapes = weight_shapes(config.network, ids=ids, max_tokens=6, labels=len(NAMES))
    random = np.random.default_rng(seed)
    return {layer: fill(named, random) for layer, named in shapes.items()}


def fill(shapes: Mapping[str, tuple[int, ...]], random: np.random.Generator) -> Weights:
    return {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def write_hdf5(path: Path, weights: Mapping[str, Weights]) -> None:
    """Writes weights in the layout of Keras."""
    with h5py.File(path, "w") as file:
        for layer, named in weights.items():
            above, _, direction = layer.partition(".")
            place = f"layers/{above}/{direction}/cell/vars" if direction else f"layers/{above}/vars"
            group = file.require_group(place)
            if direction:
                file.require_group(f"layers/{above}/vars").attrs["name"] = above
            group.attrs["name"] = layer
            for number, array in enumerate(named.values()):
                group[str(number)] = array


def _write_side_files(folder: Path) -> None:
    rates = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "rows": 1}
    split = {
        "rows": 3,
        "accuracy": 0.5,
        "macro_f1": 0.5,
        "loss": 0.7,
        "labels": list(NAMES),
        "by_label": dict.fromkeys(NAMES, rates),
        "confusion": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "calibration": {
            "expected_calibration_error": 0.1,
            "bins": [{"lower": 0.0, "upper": 1.0, "rows": 3, "confidence": 0.5, "accuracy": 0.5}],
        },
    }
    for name in (METRICS, BASELINE):
        (folder / name).write_text(json.dumps({"validation": split}))
    (folder / HISTORY).write_text("epoch,loss\n1,0.7\n2,0.6\n")
    (folder / PROFILE).write_text(json.dumps({**SHARES, "length": {"3": 3}, "oov_rate": {"0": 3}}))
    (folder / STATISTICS).write_text(
        json.dumps(
            {
                "labels": list(NAMES),
                "vocabulary_ids": 8,
                "splits": {
                    "train": {
                        "documents": 3,
                        "labels": {"neg": 3},
                        "length_quantiles": {"0.5": 2},
                        "tokens": 7,
                        "oov_rate": 0.1,
                        "truncated_documents": 0,
                        "truncated_tokens": 0,
                    }
                },
                "duplicates": {"within": {}, "across": {"train and test": 1}},
                "warnings": ["short"],
            }
        )
    )
    example = {
        "document_id": "a#1",
        "text": "good film",
        "truth": "pos",
        "label": "pos",
        "score": 0.6,
        "token_starts": [0, 5],
        "token_ends": [4, 9],
        "attention": [0.5, 0.5],
    }
    write_lines(folder / GALLERY, [json.dumps(example)])
    (folder / "report.html").write_text("<p>good")
    (folder / "model_card.md").write_text("# small")
    (folder / "serving").mkdir()
    (folder / "serving" / "saved_model.pb").write_bytes(b"graph")


RUN: Mapping[str, Any] = {
    "run_id": "20261127T152519.146976Z-train-fd29bb",
    "stage": "train",
    "status": "done",
    "started": "2026-11-27T15:25:19+00:00",
    "finished": "2026-11-27T15:30:42+00:00",
    "command": "limelight train",
    "code_version": "0",
    "libraries": {"numpy": "2"},
    "dataset": "runs/datasets/9abe7d239884ee9f",
    "variant": "base",
    "seed": 1,
    "best_epoch": 2,
    "trials": [{"variant": "base", "seed": 1, "epochs": 2, "metrics": {"test": {"loss": 0.5}}}],
    "inputs": [{"file": "a", "bytes": 9, "rows_read": 3, "rows_used": 3, "rows_rejected": 0}],
    "rows": {"read": 3, "used": 3, "rejected": {"empty_text": 1}, "notes": ["short"]},
    "config": {"corpus": {"columns": {"id": "id"}, "inputs": [{"path": "a.jsonl"}]}},
    "vectors": {"file": "v.txt", "found": 1, "tokens": 2, "digest": "ab"},
    "encoder": None,
    "mix": {"network": 0.5, "wide": 0.5, "network_loss": 0.5, "loss": 0.4},
    "baseline": None,
}
