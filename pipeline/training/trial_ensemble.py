"""The trial whose networks are those of other trials, one for each seed; nothing is trained."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from model.bundle.loading import read_unpublished
from model.layers.ensemble import average_networks
from model.training.fit import Fitted
from pipeline.config.sections import Config
from pipeline.storage.files import Files
from pipeline.storage.folders import local_folder
from pipeline.training.best_trial import choose_best
from pipeline.training.trial import Trial, TrialResult, as_model

ENSEMBLE = "ensemble"  # the name of its variant


def ensemble_trial(
    trials: Sequence[Trial], finished: Sequence[TrialResult], config: Config
) -> Trial:
    """The trial of the seeds' networks of the variant that is best on validation.

    Args:
        trials: those that were trained.
        finished: their results.
        config: of the run.
    """
    best = choose_best(finished, monitor=config.training.monitor)
    members = [result for result in finished if result.variant == best.variant]
    [trial] = [each for each in trials if each.folder == best.folder]
    return dataclasses.replace(
        trial,
        variant=ENSEMBLE,
        folder=f"{trial.folder}-{ENSEMBLE}",
        members=tuple(as_model(result) for result in members),
    )


def average_members(trial: Trial, *, files: Files, scratch: Path) -> Fitted:
    """The networks of `trial.members` as one, which has no history; `scratch` holds copies."""
    networks = []
    for number, member in enumerate(trial.members):
        copy = str(scratch / f"member-{number}")
        folder = Path(local_folder(files, member.folder, scratch=copy))
        networks.append(read_unpublished(folder).build_network())
    return Fitted(network=average_networks(networks), history=[], best_epoch=0)
