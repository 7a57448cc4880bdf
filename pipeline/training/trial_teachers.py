"""The teachers of a trial: trained models whose predictions it learns."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from model.bundle.loading import read_unpublished
from model.text.vocabulary import Vocabulary
from model.training.examples import Examples
from model.training.teaching.taught_examples import (
    choose_certain,
    join_taught,
    with_soft_labels,
)
from model.training.teaching.teacher import Teacher, order_of_labels
from pipeline.config.inputs import UNLABELED
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files
from pipeline.storage.folders import local_folder
from pipeline.training.trial import Trial

logger = logging.getLogger("limelight")


def teach_trial(
    trial: Trial,
    examples: Mapping[str, Examples],
    *,
    vocabulary: Vocabulary,
    files: Files,
    scratch: Path,
) -> dict[str, Examples]:
    """The splits, `train` with the mean of the teachers' predictions as soft labels.

    The documents of `unlabeled` on which the teachers are certain enough are added to it. Without
    teachers, the splits are returned as they are.

    Raises:
        BundleError: if a model directory is not complete.
        ConfigError: if a teacher does not fit the dataset.
    """
    if not trial.teachers:
        return dict(examples)
    train = examples["train"]
    unlabeled = examples.get(UNLABELED)
    means = _predict_mean(
        trial,
        [train] if unlabeled is None else [train, unlabeled],
        vocabulary=vocabulary,
        files=files,
        scratch=scratch,
    )
    taught = with_soft_labels(train, means[0])
    if unlabeled is not None:
        certain = choose_certain(
            unlabeled,
            means[1],
            min_score=trial.config.teachers.min_score,
            multilabel=trial.dataset.layout.multilabel,
        )
        logger.info(
            "%s, seed %d: %s of %s unlabeled documents have a score of %g or more",
            trial.variant,
            trial.seed,
            f"{certain.rows:,}",
            f"{unlabeled.rows:,}",
            trial.config.teachers.min_score,
        )
        taught = join_taught(taught, certain)
    return {**examples, "train": taught}


def _predict_mean(
    trial: Trial,
    splits: list[Examples],
    *,
    vocabulary: Vocabulary,
    files: Files,
    scratch: Path,
) -> list[np.ndarray]:
    """The mean of the teachers' probabilities for each of the splits, by the dataset's labels."""
    sums = [np.zeros((each.rows, len(trial.dataset.labels)), np.float32) for each in splits]
    for number, model in enumerate(trial.teachers):
        if model.published:
            bundle = open_bundle(files, model.folder)
        else:
            copy = str(scratch / f"teacher-{number}")
            bundle = read_unpublished(Path(local_folder(files, model.folder, scratch=copy)))
        order = order_of_labels(
            bundle,
            labels=trial.dataset.labels,
            text=trial.config.text,
            multilabel=trial.dataset.layout.multilabel,
            where=model.folder,
        )
        teacher = Teacher(bundle, vocabulary, cut=trial.config.text.cut)
        for total, examples in zip(sums, splits, strict=True):
            total += teacher.predict(examples)[:, order]
    return [total / np.float32(len(trial.teachers)) for total in sums]
