"""Trial: what its key depends on; TrialResult: which metrics are scores."""

import dataclasses

import pytest

from model.config import ResolvedTextConfig, ResolvedTrainingConfig
from pipeline.corpora.preparing.dataset import Dataset, DatasetFiles
from pipeline.training.trial import Trial
from pipeline.training.trial_config import ResolvedConfig
from tests.pipeline.training.results import trial_result

TRIAL = Trial(
    variant="base",
    seed=1,
    config=ResolvedConfig(
        workspace="runs",
        text=ResolvedTextConfig(max_tokens=8),
        training=ResolvedTrainingConfig(epochs=2),
    ),
    dataset=Dataset(files=DatasetFiles(folder="datasets/1"), manifest={}, statistics={}),
    vectors_digest="one digest",
    encoder_digest=None,
    folder="one folder",
)


def test_another_folder_is_the_same_training():
    again = dataclasses.replace(TRIAL, folder="another folder")
    assert again.key == TRIAL.key
    assert again.checkpoints == TRIAL.checkpoints == f"runs/checkpoints/{TRIAL.key}"


def test_other_epochs_are_another_training():
    training = ResolvedTrainingConfig(epochs=3)
    config = dataclasses.replace(TRIAL.config, training=training)
    assert dataclasses.replace(TRIAL, config=config).key != TRIAL.key


@pytest.mark.parametrize(
    "change",
    [{"vectors_digest": "another digest"}, {"encoder_digest": "a digest"}, {"seed": 2}],
)
def test_another_seed_other_vectors_or_an_encoder_are_another_training(change):
    assert dataclasses.replace(TRIAL, **change).key != TRIAL.key


def test_scores_are_the_metrics_that_are_single_numbers():
    metrics = {"test": {"accuracy": 0.5, "rows": 4, "confusion": [[1, 1], [1, 1]]}}
    assert trial_result(metrics=metrics).scores() == {"test": {"accuracy": 0.5, "rows": 4}}
