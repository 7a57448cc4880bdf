"""Chooses the trial that becomes the model: the best by `training.monitor` on validation."""

from collections.abc import Sequence

from model.config import ConfigError
from model.metrics.names import LOSS
from model.metrics.semeval import are_directed_relations
from pipeline.config.sections import Config
from pipeline.training.trial import TrialResult


def check_monitor(config: Config, labels: Sequence[str]) -> None:
    """Checks that the metric of `training.monitor` can be measured with these labels.

    Raises:
        ConfigError: if it is `semeval_f1` and the labels are not directed relations.
    """
    one_label = config.network.head != "multilabel" and are_directed_relations(labels)
    if config.training.monitor == "semeval_f1" and not one_label:
        raise ConfigError(
            "training.monitor: expected accuracy, macro_f1 or loss, because the labels are not one "
            "directed relation per document, such as Cause-Effect(e1,e2), got semeval_f1. Choose "
            "one of those."
        )


def choose_best(results: Sequence[TrialResult], *, monitor: str) -> TrialResult:
    """The trial with the best value of `monitor` on validation.

    Among equal trials, and if there is no validation split, the lowest seed is chosen.
    """

    def rank(result: TrialResult) -> tuple[float, int]:
        measured = result.metrics.get("validation", {}).get(monitor, 0.0)
        return (measured if monitor == LOSS else -measured, result.seed)

    return min(results, key=rank)
