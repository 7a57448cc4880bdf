"""Self-training: the models of a run teach students with what they predict of unlabeled text."""

import dataclasses
import logging
from collections.abc import Callable, Sequence

from model.bundle.file_names import MANIFEST
from model.config import BASE_VARIANT, ConfigError
from model.training.teaching.teacher import check_tokens, order_of_labels
from pipeline.config.inputs import UNLABELED
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files, join
from pipeline.training.best_trial import choose_best
from pipeline.training.trial import TrainedModel, Trial, TrialResult, as_model
from pipeline.training.trial_config import resolve_config

logger = logging.getLogger("limelight")


def find_teachers(config: Config, *, files: Files) -> tuple[TrainedModel, ...]:
    """The models of `teachers.models`; called before anything is prepared.

    Raises:
        BundleError: if one of them is not a complete model directory.
        ConfigError: if one of them reads texts as other tokens.
    """
    found = []
    for folder in config.teachers.models:
        check_tokens(open_bundle(files, folder), text=config.text, where=folder)
        digest = files.digest(join(folder, MANIFEST))
        found.append(TrainedModel(folder=folder, digest=digest, published=True))
    return tuple(found)


def check_teachers(teachers: Sequence[TrainedModel], dataset: Dataset, *, files: Files) -> None:
    """Checks that published models can predict the dataset's documents.

    Raises:
        ConfigError: if one has other labels, or reads texts as other tokens.
    """
    for teacher in teachers:
        order_of_labels(
            open_bundle(files, teacher.folder),
            labels=dataset.labels,
            text=dataset.text,
            multilabel=dataset.layout.multilabel,
            where=teacher.folder,
        )


def check_unlabeled(dataset: Dataset) -> None:
    """Checks that there is something to teach students with.

    Raises:
        ConfigError: if the dataset has no unlabeled documents.
    """
    if not dataset.rows(UNLABELED):
        raise ConfigError(
            "corpus.inputs: expected documents of the split unlabeled, with which self-train "
            "teaches its students, got none. Add an input with split: unlabeled."
        )


def train_students(
    trials: Sequence[Trial],
    finished: Sequence[TrialResult],
    config: Config,
    *,
    dataset: Dataset,
    run_round: Callable[[Sequence[Trial]], list[TrialResult]],
) -> tuple[list[Trial], list[TrialResult]]:
    """Trains students of the trials, then students of these, as long as that helps on validation.

    Args:
        trials: those of the base variant, one for each seed, are the first teachers.
        finished: their results.
        config: of the run; `teachers.rounds` is how many rounds there are at most.
        dataset: what is trained on.
        run_round: trains trials and returns their results.

    Returns:
        All trials and all results: the given ones, then those of the students.
    """
    all_trials, all_results = list(trials), list(finished)
    first = [trial for trial in trials if trial.variant == BASE_VARIANT]
    teachers = [result for result in finished if result.variant == BASE_VARIANT]
    documents = dataset.rows("train") + dataset.rows(UNLABELED)
    resolved = resolve_config(config, dataset, documents=documents)
    for number in range(1, config.teachers.rounds + 1):
        students = [
            dataclasses.replace(
                trial,
                variant=f"student-{number}",
                config=resolved,
                folder=f"{trial.folder}-student-{number}",
                teachers=tuple(as_model(result) for result in teachers),
            )
            for trial in first
        ]
        taught = run_round(students)
        before = choose_best(all_results, monitor=config.training.monitor)
        all_trials += students
        all_results += taught
        if choose_best(all_results, monitor=config.training.monitor) == before:
            logger.info("self-training: the students of round %d are not better", number)
            break
        teachers = taught
    return all_trials, all_results
