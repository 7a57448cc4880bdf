"""The baseline of a run is fitted by its first trial."""

import dataclasses

import pytest

from model.metrics.packed_flags import unpack_flags
from pipeline.config.loading import build_config
from pipeline.corpora.preparing.dataset import Dataset, DatasetFiles
from pipeline.training import trial_baseline
from pipeline.training.trial import Trial
from pipeline.training.trial_baseline import measure_trial_baseline
from tests.model.training.baseline.documents import LABELS, VOCABULARY, encode, make_documents

EXAMPLES = {
    split: encode(make_documents(60, seed=seed))
    for seed, split in enumerate(("train", "validation", "test"))
}
TRIAL = Trial(
    variant="base",
    seed=7,
    config=build_config(
        {"text": {"cut": "head+tail"}, "training": {"seeds": [7, 1]}}, [], where="the test"
    ),
    dataset=Dataset(
        files=DatasetFiles(folder="datasets/1"), manifest={}, statistics={"labels": LABELS}
    ),
    vectors_digest=None,
    encoder_digest=None,
    folder="one folder",
)


def measure(trial: Trial) -> dict[str, object] | None:
    return measure_trial_baseline(trial, EXAMPLES, vocabulary=VOCABULARY)


def test_the_first_trial_measures_it() -> None:
    found = measure(TRIAL)
    assert found is not None
    assert set(found) == {"terms", "C", "seconds", "notes", "evaluations", "right"}
    right = unpack_flags(found["right"]["test"], rows=60)
    assert right.mean() == found["evaluations"]["test"]["accuracy"]


@pytest.mark.parametrize("change", [{"variant": "mean"}, {"seed": 1}])
def test_other_trials_do_not(change: dict[str, object]) -> None:
    assert measure(dataclasses.replace(TRIAL, **change)) is None


def test_none_is_without_it() -> None:
    training = dataclasses.replace(TRIAL.config.training, baseline="none")
    config = dataclasses.replace(TRIAL.config, training=training)
    assert measure(dataclasses.replace(TRIAL, config=config)) is None


def test_the_reason_why_there_is_none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {"train": EXAMPLES["train"]}
    assert measure_trial_baseline(TRIAL, alone, vocabulary=VOCABULARY) == {
        "skipped": "there is neither a validation nor a test split to measure it on"
    }

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(trial_baseline, "fit_linear_baseline", fail)
    assert measure(TRIAL) == {"skipped": "this machine has not enough memory"}
