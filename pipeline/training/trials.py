"""Trials: one training of one configuration with one seed, from shards to a model directory."""

import dataclasses
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from model.bundle import (
    GALLERY,
    HISTORY,
    METRICS,
    PROFILE,
    STATISTICS,
    ModelConfig,
    describe_files,
    write_bundle,
    write_golden,
    write_lines,
)
from model.config import to_plain
from model.layers.classifier import build_classifier
from model.layers.forward import Forward, trace_forward
from model.metrics.classification import evaluate, evaluate_multilabel
from model.scoring.keras_engine import KerasEngine
from model.scoring.scorer import EngineScorer, verify_golden
from model.scoring.serving import ServingScorer, write_serving
from model.text.vocabulary import Vocabulary
from model.training.dataset import Shards
from model.training.fit import Fitted, Hooks, fit, predict
from model.training.history import History, write_events, write_history
from model.training.pretrained_vectors import Vectors, read_vectors
from pipeline.config.inputs import SPLITS
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.corpora.scoring.gallery import gallery_to_lines, show_samples
from pipeline.process import progress
from pipeline.storage.files import Files, base_name, join, read_lines
from pipeline.storage.folders import copy_file, local_folder, upload_folder
from pipeline.storage.manifest import fingerprint
from pipeline.training.checkpoints import load_checkpoint, save_checkpoint
from pipeline.training.validation_profile import profile_split

logger = logging.getLogger("limelight")

GOLDEN_ROWS = 32

EVENTS = "events.out.tfevents.limelight"

# Texts that go wrong where scorers differ: Unicode, order of scripts, one token.
GOLDEN_EXTREMES = ("a", "ΣΊΣΥΦΟΣ İstanbul ﬁne", "العربية then English 中文 ภาษาไทย 👍🏽")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One training to do: what a worker receives."""

    variant: str
    seed: int
    config: Config
    dataset: Dataset
    vectors: str | None  # the digest of the word vectors that the embedding begins with
    folder: str  # where the model directory is left

    @property
    def key(self) -> str:
        """What names it in the workspace: the same in every attempt."""
        return fingerprint(
            self.dataset.files.folder,
            self.seed,
            self.vectors,
            to_plain(self.config.network),
            to_plain(self.config.training),
        )

    @property
    def checkpoints(self) -> str:
        """Where its last epoch is kept, until a model of its run is published."""
        return join(self.config.workspace, "checkpoints", self.key)

    @property
    def events(self) -> str:
        """The file that TensorBoard reads: `tensorboard --logdir <workspace>/logs`."""
        run = f"{self.variant}-seed-{self.seed}-{self.key}"
        return join(self.config.workspace, "logs", self.config.name, run, EVENTS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialResult:
    """One training done: what a worker sends back.

    `vectors` names the file of word vectors, its digest and how many of the vocabulary's
    tokens it has.
    """

    variant: str
    seed: int
    folder: str
    metrics: Mapping[str, Any]
    epochs: int
    best_epoch: int
    vocabulary_ids: int
    vectors: Mapping[str, Any] | None
    files: Mapping[str, Mapping[str, Any]]

    def scores(self) -> dict[str, dict[str, float]]:
        """The single numbers among the metrics, by split."""
        return {
            split: {
                name: value for name, value in measured.items() if isinstance(value, int | float)
            }
            for split, measured in self.metrics.items()
        }


def run_trial(trial: Trial, *, files: Files) -> TrialResult:
    """Trains, evaluates and leaves a model directory, from the last checkpoint if there is one."""
    with tempfile.TemporaryDirectory(prefix="limelight-trial-") as scratch:
        folder = Path(scratch) / "model"
        shards = _local_shards(trial, files=files, scratch=scratch)
        vocabulary = _read_vocabulary(trial, files=files)
        vectors = _read_vectors(trial, vocabulary, files=files)
        fitted = _fit(
            trial, shards, vocabulary=vocabulary, vectors=vectors, files=files, scratch=scratch
        )
        forward = trace_forward(fitted.network)
        metrics: dict[str, Any] = {
            split: _evaluate(forward, shards[split], trial.dataset)
            for split in SPLITS[1:]
            if split in shards
        }
        _write_model(folder, trial, fitted, vocabulary=vocabulary, files=files)
        (folder / METRICS).write_text(json.dumps(metrics, indent=2), encoding="utf-8")
        if "validation" in shards:
            profile = profile_split(
                forward, shards["validation"], vocabulary, labels=trial.dataset.labels
            )
            (folder / PROFILE).write_text(json.dumps(profile), encoding="utf-8")
        described = describe_files(folder)
        upload_folder(files, str(folder), to=trial.folder)
        return TrialResult(
            variant=trial.variant,
            seed=trial.seed,
            folder=trial.folder,
            metrics=metrics,
            epochs=len(fitted.history),
            best_epoch=fitted.best_epoch,
            vocabulary_ids=vocabulary.size,
            vectors=None if vectors is None else _describe_vectors(trial, vectors, vocabulary),
            files=described,
        )


def _local_shards(trial: Trial, *, files: Files, scratch: str) -> dict[str, Shards]:
    """The shards of every split that has documents, on this machine's disk."""
    dataset = trial.dataset
    folder = local_folder(files, dataset.files.examples, scratch=os.path.join(scratch, "examples"))
    return {
        split: Shards(
            paths=tuple(join(folder, base_name(path)) for path in dataset.shards(split)),
            rows=dataset.rows(split),
            max_tokens=trial.config.text.max_tokens,
            label_width=len(dataset.labels) if dataset.layout.multilabel else 0,
        )
        for split in SPLITS
        if dataset.rows(split)
    }


def _read_vocabulary(trial: Trial, *, files: Files) -> Vocabulary:
    tokens = read_lines(files, trial.dataset.files.vocabulary)
    return Vocabulary(tokens, oov_buckets=trial.config.text.oov_buckets)


def _fit(
    trial: Trial,
    shards: Mapping[str, Shards],
    *,
    vocabulary: Vocabulary,
    vectors: Vectors | None,
    files: Files,
    scratch: str,
) -> Fitted:
    config = trial.config
    checkpoints = Path(scratch) / "checkpoints"
    load_checkpoint(files, trial.checkpoints, to=checkpoints)

    def build() -> keras.Model:
        return build_classifier(
            config.network,
            ids=vocabulary.size,
            max_tokens=config.text.max_tokens,
            labels=len(trial.dataset.labels),
            embedding_matrix=None if vectors is None else vectors.matrix,
        )

    def keep_epoch(folder: Path, history: History) -> None:
        save_checkpoint(files, folder, to=trial.checkpoints)
        events = Path(scratch) / EVENTS
        write_events(events, history)
        copy_file(files, events, to=trial.events)

    return fit(
        build,
        train=shards["train"],
        validation=shards.get("validation"),
        labels=trial.dataset.labels,
        label_counts=trial.dataset.label_counts("train"),
        network_config=config.network,
        config=config.training,
        seed=trial.seed,
        checkpoints=checkpoints,
        hooks=Hooks(on_batch=progress.advance, on_epoch=keep_epoch),
    )


def _read_vectors(trial: Trial, vocabulary: Vocabulary, *, files: Files) -> Vectors | None:
    embedding = trial.config.network.embedding
    if embedding.vectors is None:
        return None
    with files.open(embedding.vectors) as stream:
        vectors = read_vectors(
            stream, vocabulary, config=embedding, seed=trial.seed, where=embedding.vectors
        )
    logger.info(
        "vectors: %s of %s tokens of the vocabulary are in %s",
        f"{vectors.found:,}",
        f"{len(vocabulary.tokens):,}",
        embedding.vectors,
    )
    return vectors


def _describe_vectors(trial: Trial, vectors: Vectors, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "file": trial.config.network.embedding.vectors,
        "digest": trial.vectors,
        "found": vectors.found,
        "tokens": len(vocabulary.tokens),
    }


def _evaluate(forward: Forward, shards: Shards, dataset: Dataset) -> dict[str, Any]:
    probabilities, truth = predict(forward, shards)
    measure = evaluate_multilabel if dataset.layout.multilabel else evaluate
    return dict(measure(probabilities, truth, labels=dataset.labels))


def _write_model(
    folder: Path, trial: Trial, fitted: Fitted, *, vocabulary: Vocabulary, files: Files
) -> None:
    config, dataset = trial.config, trial.dataset
    bundle = write_bundle(
        folder,
        name=config.name,
        config=ModelConfig(text=config.text, network=config.network, training=config.training),
        network=fitted.network,
        vocabulary=vocabulary,
        labels=dataset.labels,
    )
    scorer = EngineScorer(bundle, KerasEngine(fitted.network))
    samples = dataset.read_samples(files)
    texts = [sample.text for sample in samples[:GOLDEN_ROWS]]
    write_golden(folder, scorer.golden([*texts, *GOLDEN_EXTREMES]))
    write_serving(bundle)
    # What is served must give what training saw; the engines check themselves when they load.
    verify_golden(ServingScorer(bundle), bundle.golden(), engine="tensorflow")
    unseen = "test" if dataset.rows("test") else "validation"
    shown = [sample for sample in samples if sample.split == unseen]
    write_lines(folder / GALLERY, gallery_to_lines(show_samples(scorer, shown)))
    write_history(folder / HISTORY, fitted.history)
    (folder / STATISTICS).write_text(json.dumps(dataset.statistics, indent=2), encoding="utf-8")
