"""The numbers that a trial gets in place of `auto`."""

import dataclasses

import pytest

from model.config import ResolvedTextConfig, TrainingConfig, to_plain
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset, DatasetFiles
from pipeline.training.trial_config import choose_epochs, resolve_config

TEXT = ResolvedTextConfig(max_tokens=24, lowercase=False)
DATASET = Dataset(
    files=DatasetFiles(folder="datasets/1"),
    manifest={"text": to_plain(TEXT)},
    statistics={"splits": {"train": {"documents": 30_000}}},
)


@pytest.mark.parametrize(
    ("documents", "epochs"),
    [
        (1, 40),
        (7_500, 40),
        (7_501, 40),
        (7_693, 39),
        (25_000, 12),
        (25_001, 12),
        (60_000, 5),
        (10_000_000, 5),
    ],
)
def test_the_fewer_documents_the_more_epochs(documents: int, epochs: int) -> None:
    assert choose_epochs(documents) == epochs


def test_auto_becomes_numbers_and_all_else_stays() -> None:
    config = Config(name="a", workspace="b", training=TrainingConfig(seeds=(3,), patience=None))
    resolved = resolve_config(config, DATASET, documents=DATASET.rows("train"))
    assert resolved.text == TEXT
    assert resolved.training.epochs == 10
    changed = {"text": to_plain(TEXT), "training": {**to_plain(config.training), "epochs": 10}}
    assert to_plain(resolved) == {**to_plain(config), **changed}


def test_configured_epochs_stay() -> None:
    config = Config(training=TrainingConfig(epochs=3))
    resolved = resolve_config(config, DATASET, documents=DATASET.rows("train"))
    assert dataclasses.asdict(resolved.training) == dataclasses.asdict(config.training)
