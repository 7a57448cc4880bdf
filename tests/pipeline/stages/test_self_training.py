"""Students: they learn what their teachers predict of unlabeled text."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from model.bundle.errors import BundleError
from model.bundle.loading import load_bundle
from model.config import ConfigError
from model.scoring.loading import load_scorer
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.stages.train import Trained, train
from pipeline.storage.beam_files import BeamFiles
from tests.json_lines import write_json_lines
from tests.model.bundles import make_bundle
from tests.pipeline.stages.good_and_bad import good_and_bad

pytestmark = pytest.mark.long


def make_config(
    folder: Path, *, unlabeled: int = 60, teachers: dict[str, Any] | None = None, **training: Any
) -> Config:
    """Labeled texts have `good` or `bad`; unlabeled ones have `fine` or `awful` beside them."""
    folder.mkdir(exist_ok=True)
    values = good_and_bad(folder, texts=30, learning_rate=0.05, **training)
    rows = [
        {"text": f"{word} and {other} number {row}", "split": "unlabeled"}
        for row in range(unlabeled)
        for word, other in (("good", "fine"), ("bad", "awful"))
    ]
    values["corpus"]["inputs"].append(
        {"path": write_json_lines(folder / "unlabeled.jsonl", rows), "split": "unlabeled"}
    )
    values["teachers"] = teachers or {}
    return build_config(values, [], where="the test")


def run(config: Config, *, self_training: bool = False) -> Trained:
    return train(
        config,
        beam_options=[],
        files=BeamFiles(),
        command="the command",
        self_training=self_training,
    )


def label_of(folder: str, text: str) -> str:
    scored, _ = load_scorer(load_bundle(folder)).score(pa.array([text]))
    return str(scored.column("label")[0].as_py())


def test_a_student_knows_words_that_only_unlabeled_documents_have(tmp_path: Path) -> None:
    teacher = run(make_config(tmp_path, epochs=8, seeds=[1]))
    teachers = {"models": [teacher.folder], "min_score": 0.6}
    student = run(make_config(tmp_path, epochs=8, seeds=[1], teachers=teachers))
    assert label_of(student.folder, "fine") == "pos"
    assert label_of(student.folder, "awful") == "neg"


def test_self_training_publishes_what_is_best_on_validation(tmp_path: Path) -> None:
    config = make_config(
        tmp_path, epochs=2, seeds=[1, 2], monitor="loss", teachers={"min_score": 0.6, "rounds": 1}
    )
    trained = run(config, self_training=True)
    rounds = {}
    for trial in trained.trials:
        rounds.setdefault(trial.variant, []).append(trial.seed)
    assert rounds["base"] == rounds["student-1"] == [1, 2]
    losses = [trial.metrics["validation"]["loss"] for trial in trained.trials]
    assert trained.best.metrics["validation"]["loss"] == min(losses)
    assert load_bundle(trained.folder).labels == ("neg", "pos")


def test_self_training_needs_unlabeled_documents(tmp_path: Path) -> None:
    config = make_config(tmp_path, unlabeled=0)
    with pytest.raises(ConfigError, match="expected documents of the split unlabeled"):
        run(config, self_training=True)


def test_a_teacher_that_is_not_there_is_named_before_anything_is_read(tmp_path: Path) -> None:
    config = make_config(tmp_path, teachers={"models": [str(tmp_path / "none")]})
    with pytest.raises(BundleError, match="none"):
        run(config)
    assert not (tmp_path / "runs" / "datasets").exists()


def test_a_teacher_of_other_labels_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "teacher").folder
    config = make_config(tmp_path, teachers={"models": [str(folder)]})
    with pytest.raises(ConfigError, match=r"teachers.models: .*labels \['neg', 'pos'\]"):
        run(config)
