"""Runs one trial on one worker, from the dataset's shards to a model directory."""

import dataclasses
import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from model.bundle.manifest import describe_files
from model.layers.classifier import build_classifier
from model.layers.keras_engine import KerasEngine
from model.metrics.evaluation import evaluate
from model.metrics.packed_flags import pack_flags
from model.metrics.paired import right_predictions
from model.text.markers import marker_ids
from model.text.vocabulary import Vocabulary
from model.training.devices import Devices, choose_devices, describe_training
from model.training.evaluation import predict_split
from model.training.examples import Examples
from model.training.fit import Fitted, Hooks, TrainingData, fit
from model.training.history import History
from model.training.pretraining.encoder import Encoder, start_from_encoder
from model.training.wide_examples import WideBeside
from model.training.word_vectors.pretrained_vectors import PretrainedVectors
from pipeline.config.inputs import SPLITS, TRAINED, UNLABELED
from pipeline.process import progress
from pipeline.storage.files import Files, read_lines
from pipeline.storage.folders import copy_file, upload_folder
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.training.checkpoints import load_checkpoint, save_checkpoint
from pipeline.training.examples_of_dataset import read_splits
from pipeline.training.model_directory import write_evaluation, write_model_directory
from pipeline.training.tensorboard import CAN_WRITE_EVENTS, write_events
from pipeline.training.trial import TENSORBOARD_FILE, Trial, TrialResult
from pipeline.training.trial_baseline import measure_trial_baseline
from pipeline.training.trial_encoder import describe_encoder, read_trial_encoder
from pipeline.training.trial_ensemble import average_members
from pipeline.training.trial_teachers import teach_trial
from pipeline.training.trial_vectors import describe_vectors, read_vectors
from pipeline.training.trial_wide import fit_trial_wide_part, mix_wide_part
from pipeline.training.validation_profile import profile_split

logger = logging.getLogger("limelight")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Start:
    """What a network is built from: the vocabulary and what was learned before."""

    vocabulary: Vocabulary
    vectors: PretrainedVectors | None
    encoder: Encoder | None

    def build(self, trial: Trial, devices: Devices) -> keras.Model:
        """The network of a trial before its training."""
        config = trial.config
        network = build_classifier(
            config.network,
            ids=self.vocabulary.size,
            max_tokens=config.text.max_tokens,
            labels=len(trial.dataset.labels),
            markers=marker_ids(config.network.entities, config.text, self.vocabulary),
            embedding_matrix=None if self.vectors is None else self.vectors.matrix,
            precision=devices.precision,
            cudnn=devices.cudnn,
        )
        if self.encoder is not None:
            start_from_encoder(network, self.encoder, self.vocabulary)
        return network

    def describe_vectors(self, trial: Trial) -> dict[str, Any] | None:
        """The `vectors` of a model's manifest."""
        if self.vectors is None:
            return None
        return describe_vectors(trial, self.vectors, self.vocabulary)

    def describe_encoder(self, trial: Trial) -> dict[str, Any] | None:
        """The `encoder` of a model's manifest."""
        if self.encoder is None:
            return None
        return describe_encoder(trial, self.encoder, self.vocabulary)


def run_trial(trial: Trial, *, files: Files) -> TrialResult:
    """Trains and evaluates a model and uploads its directory; resumes from a checkpoint, if any.

    Raises:
        ConfigError: if word vectors or an encoder do not fit, or the loss is not finite.
    """
    with scratch_folder("trial") as scratch:
        folder = Path(scratch) / "model"
        start = _read_start(trial, files=files)
        vocabulary = start.vocabulary
        examples = _with_hard_labels(
            read_splits(trial.dataset, SPLITS, vocabulary, files=files, scratch=Path(scratch))
        )
        baseline = measure_trial_baseline(trial, examples, vocabulary=vocabulary)
        examples = teach_trial(
            trial, examples, vocabulary=vocabulary, files=files, scratch=Path(scratch)
        )
        wide_weights = fit_trial_wide_part(trial, examples, vocabulary=vocabulary, files=files)
        if trial.members:
            fitted = average_members(trial, files=files, scratch=Path(scratch))
        else:
            fitted = _train(trial, examples, start, files=files, scratch=scratch)
        engine = KerasEngine(fitted.network)
        wide, mix = None, None
        if wide_weights is not None:
            validation = examples.get("validation")
            wide, mix = mix_wide_part(
                trial, wide_weights, engine, validation, vocabulary=vocabulary
            )
        metrics, right = _measure(engine, examples, labels=trial.dataset.labels, wide=wide)
        profile = None
        if "validation" in examples:
            profile = profile_split(
                engine, examples["validation"], vocabulary, labels=trial.dataset.labels, wide=wide
            )
        write_model_directory(
            folder,
            trial,
            fitted,
            wide=None if wide is None else wide.part,
            vocabulary=vocabulary,
            files=files,
        )
        write_evaluation(folder, metrics=metrics, profile=profile)
        upload_folder(files, str(folder), to=trial.folder)
        return TrialResult(
            variant=trial.variant,
            seed=trial.seed,
            folder=trial.folder,
            metrics=metrics,
            right=right,
            epochs=len(fitted.history),
            best_epoch=fitted.best_epoch or None,
            vocabulary_ids=vocabulary.size,
            vectors=start.describe_vectors(trial),
            encoder=start.describe_encoder(trial),
            baseline=baseline,
            mix=None if mix is None else dataclasses.asdict(mix),
            files=describe_files(folder),
        )


def _read_start(trial: Trial, *, files: Files) -> _Start:
    tokens = read_lines(files, trial.dataset.files.vocabulary)
    vocabulary = Vocabulary(tokens, oov_buckets=trial.config.text.oov_buckets)
    embedding = trial.config.network.embedding
    return _Start(
        vocabulary=vocabulary,
        vectors=read_vectors(embedding, vocabulary, seed=trial.seed, files=files),
        encoder=read_trial_encoder(trial, vocabulary, files=files),
    )


def _with_hard_labels(examples: Mapping[str, Examples]) -> dict[str, Examples]:
    """The splits, those that are measured without the documents that have only soft labels."""
    measured = {
        split: each.with_labels() for split, each in examples.items() if split not in TRAINED
    }
    kept = {split: each for split, each in measured.items() if each.rows}
    for split in measured.keys() - kept.keys():
        logger.warning("%s has only soft labels: nothing is measured on it", split)
    return {**{split: examples[split] for split in TRAINED if split in examples}, **kept}


def _measure(
    engine: KerasEngine,
    examples: Mapping[str, Examples],
    *,
    labels: Sequence[str],
    wide: WideBeside | None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The `metrics` and the `right` of a `TrialResult`."""
    metrics: dict[str, Any] = {}
    right: dict[str, str] = {}
    for split in SPLITS:
        if split in TRAINED or split not in examples:
            continue
        probabilities, truth = predict_split(engine, examples[split], wide), examples[split].labels
        multilabel = truth.ndim == 2
        metrics[split] = dict(evaluate(probabilities, truth, labels=labels, multilabel=multilabel))
        right[split] = pack_flags(right_predictions(probabilities, truth, multilabel=multilabel))
    return metrics, right


def _train(
    trial: Trial,
    examples: Mapping[str, Examples],
    start: _Start,
    *,
    files: Files,
    scratch: str,
) -> Fitted:
    config = trial.config
    checkpoints = Path(scratch) / "checkpoints"
    load_checkpoint(files, trial.checkpoints, to=checkpoints)
    devices = choose_devices(config.training)
    for line in describe_training(devices, config.training, config.network):
        logger.info("%s, seed %d: %s", trial.variant, trial.seed, line)
    logger.info(
        "%s, seed %d: up to %d epochs of %s documents",
        trial.variant,
        trial.seed,
        config.training.epochs,
        f"{examples['train'].rows:,}",
    )

    def keep_epoch(folder: Path, history: History) -> None:
        save_checkpoint(files, folder, to=trial.checkpoints)
        if CAN_WRITE_EVENTS:
            events = Path(scratch) / TENSORBOARD_FILE
            write_events(events, history)
            copy_file(files, events, to=trial.tensorboard)

    return fit(
        functools.partial(start.build, trial),
        TrainingData(
            train=examples["train"],
            validation=examples.get("validation"),
            labels=trial.dataset.labels,
            unlabeled=examples.get(UNLABELED),
        ),
        head=config.network.head,
        config=config.training,
        devices=devices,
        seed=trial.seed,
        checkpoints=checkpoints,
        hooks=Hooks(on_batch=progress.advance, on_epoch=keep_epoch),
    )
