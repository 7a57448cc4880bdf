"""Which trial becomes the model: the one with the best monitored metric on validation."""

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
            "training.monitor: expected accuracy, macro_f1 or loss where labels are not directed "
            "relations such as Cause-Effect(e1,e2), one a document, got semeval_f1. Choose one of "
            "those."
        )


def choose_best(results: Sequence[TrialResult], *, monitor: str) -> TrialResult:
    """The trial with the best value of `monitor` on validation.

    Of equal trials, and where there is no validation split, it is the one with the lowest seed.
    """

    def rank(result: TrialResult) -> tuple[float, int]:
        measured = result.metrics.get("validation", {}).get(monitor, 0.0)
        return (measured if monitor == LOSS else -measured, result.seed)

    return min(results, key=rank)
