"""A trial: one training of one configuration with one seed, as sent to a worker, and its result."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from model.config import to_plain
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.storage.files import join
from pipeline.storage.manifest import fingerprint
from pipeline.training.trial_config import ResolvedConfig

# TensorBoard reads files with this prefix.
TENSORBOARD_FILE = "events.out.tfevents.limelight"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model that a trial learns from, or is made of.

    Attributes:
        folder: the model directory.
        digest: of its files.
        published: whether it is complete, with a manifest; a trial of the same run is not.
    """

    folder: str
    digest: str
    published: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One training to run, as a worker receives it.

    Attributes:
        variant: the name of the configuration, `base` or one of `training.variants`.
        seed: the seed of the initial weights, of dropout and of the order of documents.
        config: the config of this variant, with numbers in place of `auto`.
        dataset: the prepared corpus.
        vectors_digest: the digest of the file of word vectors that the embedding starts from;
            None if it starts from random vectors.
        encoder_digest: the digest of the encoder that the network starts from; None without one.
        folder: where the model directory is written.
        teachers: the models whose mean prediction is learned beside the labels.
        members: finished trials of the same config whose networks predict together; with them
            nothing is trained.
    """

    variant: str
    seed: int
    config: ResolvedConfig
    dataset: Dataset
    vectors_digest: str | None
    encoder_digest: str | None
    folder: str
    teachers: tuple[TrainedModel, ...] = ()
    members: tuple[TrainedModel, ...] = ()

    @property
    def key(self) -> str:
        """Identifies the trial in the workspace; equal in every attempt to run it."""
        return fingerprint(
            self.dataset.files.folder,
            self.seed,
            self.vectors_digest,
            self.encoder_digest,
            to_plain(self.config.network),
            to_plain(self.config.training),
            *self._teaching,
        )

    @property
    def _teaching(self) -> list[object]:
        """What the learned predictions depend on; nothing without teachers."""
        digests = [teacher.digest for teacher in self.teachers]
        return [digests, self.config.teachers.min_score] if digests else []

    @property
    def checkpoints(self) -> str:
        """The folder of the last epoch's checkpoint; deleted once the run publishes a model."""
        return join(self.config.workspace, "checkpoints", self.key)

    @property
    def wide_folder(self) -> str:
        """The folder of the wide part, which all seeds share; deleted as `checkpoints` is."""
        key = fingerprint(
            self.dataset.files.folder,
            to_plain(self.config.network)["wide"],
            self.config.network.head,
            self.config.training.class_weights,
            to_plain(self.config.training.soft_labels),
            *self._teaching,
        )
        return join(self.config.workspace, "checkpoints", key)

    @property
    def tensorboard(self) -> str:
        """The file that TensorBoard reads: `tensorboard --logdir <workspace>/logs`."""
        run = f"{self.variant}-seed-{self.seed}-{self.key}"
        return join(self.config.workspace, "logs", self.config.name, run, TENSORBOARD_FILE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialResult:
    """One finished training, as a worker returns it.

    Attributes:
        variant: as in the `Trial`.
        seed: as in the `Trial`.
        folder: where the model directory was written.
        metrics: the metrics by split, as in `metrics.json`.
        right: which documents of each split are predicted right, in the form of `pack_flags`.
        epochs: how many epochs were trained.
        best_epoch: the epoch whose weights were kept, counted from 1; None of an ensemble.
        vocabulary_ids: rows of the embedding.
        vectors: the result of `describe_vectors`; None if the config names no file of vectors.
        encoder: the result of `describe_encoder`; None if the config names no encoder.
        baseline: the result of `measure_trial_baseline`.
        mix: a `Mix` of network and wide part; None without a wide part or without validation.
        files: bytes and SHA-256 of each file of the model directory, by name.
    """

    variant: str
    seed: int
    folder: str
    metrics: Mapping[str, Any]
    right: Mapping[str, str]
    epochs: int
    best_epoch: int | None
    vocabulary_ids: int
    vectors: Mapping[str, Any] | None
    encoder: Mapping[str, Any] | None
    baseline: Mapping[str, Any] | None
    mix: Mapping[str, float] | None
    files: Mapping[str, Mapping[str, Any]]

    def scores(self) -> dict[str, dict[str, float]]:
        """The metrics that are single numbers, by split."""
        return {split: single_numbers(measured) for split, measured in self.metrics.items()}


def as_model(result: TrialResult) -> TrainedModel:
    """A finished trial as a model for other trials of the same run."""
    return TrainedModel(folder=result.folder, digest=fingerprint(result.files), published=False)


def single_numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of a split without those by label, bin or pair of labels."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}
