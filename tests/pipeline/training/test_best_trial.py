import dataclasses

import pytest

from model.config import ConfigError, NetworkConfig, TrainingConfig
from pipeline.config.sections import Config
from pipeline.training.best_trial import check_monitor, choose_best
from pipeline.training.trial import TrialResult
from tests.pipeline.training.results import trial_result

RELATIONS = ("Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Other")


def test_the_official_score_is_for_directed_relations_alone():
    config = Config(training=TrainingConfig(monitor="semeval_f1"))
    check_monitor(config, RELATIONS)
    with pytest.raises(
        ConfigError, match="expected accuracy, macro_f1 or loss, because the labels"
    ):
        check_monitor(config, ("neg", "pos"))
    several = NetworkConfig(head="multilabel")
    with pytest.raises(ConfigError, match="got semeval_f1"):
        check_monitor(dataclasses.replace(config, network=several), RELATIONS)


def _result(seed: int, **validation: float) -> TrialResult:
    return trial_result(seed=seed, metrics={"validation": validation} if validation else {})


@pytest.mark.parametrize(
    ("monitor", "results", "best"),
    [
        ("accuracy", [_result(1, accuracy=0.8), _result(2, accuracy=0.9)], 2),
        ("loss", [_result(1, loss=0.8), _result(2, loss=0.9)], 1),
        ("accuracy", [_result(3, accuracy=0.9), _result(2, accuracy=0.9)], 2),
        ("accuracy", [_result(3), _result(2)], 2),
    ],
)
def test_choose_best(monitor, results, best):
    assert choose_best(results, monitor=monitor).seed == best
