"""train runs every variant with every seed, publishes the best on validation, reports all."""

import dataclasses
import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from model.bundle.file_names import WIDE_WEIGHTS
from model.bundle.loading import load_bundle
from model.config import (
    AttentionConfig,
    ConfigError,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
)
from model.scoring.loading import load_scorer
from pipeline.cli.printing import print_trained
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.stages.train import Trained, train
from pipeline.stages.vocabulary import check_vector_files
from pipeline.storage.beam_files import BeamFiles
from pipeline.training import trial_config, trial_wide
from pipeline.training.baseline_record import BaselineRecord
from pipeline.training.trial import TENSORBOARD_FILE, Trial
from tests.json_lines import write_json_lines
from tests.pipeline.stages.good_and_bad import good_and_bad

VARIANT = {"name": "mean", "overrides": ["network.attention.kind=mean"]}


def training_config(folder: Path, **training: object) -> Config:
    values = good_and_bad(folder, texts=60, learning_rate=0.05, **training)
    return build_config(values, [], where="the test")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("train")
    config = training_config(folder, seeds=[1, 2], variants=[VARIANT], baseline="linear")
    return train(config, beam_options=[], files=BeamFiles(), command="the command")


@pytest.mark.long
def test_every_variant_is_trained_with_every_seed(trained):
    found = [(result.variant, result.seed) for result in trained.trials]
    assert sorted(found) == [("base", 1), ("base", 2), ("mean", 1), ("mean", 2)]


def test_every_training_leaves_events_for_tensorboard(trained):
    folder = Path(trained.dataset.files.folder).parents[1] / "logs" / "small"
    runs = sorted(path.name.rsplit("-", 1)[0] for path in folder.iterdir())
    assert runs == ["base-seed-1", "base-seed-2", "mean-seed-1", "mean-seed-2"]
    assert all(
        [file.name for file in run.iterdir()] == [TENSORBOARD_FILE] for run in folder.iterdir()
    )


def test_the_best_on_validation_is_published_with_its_own_config(trained):
    bundle = load_bundle(trained.folder)
    manifest = bundle.manifest
    assert (manifest["variant"], manifest["seed"]) == (trained.best.variant, trained.best.seed)
    kinds = {"base": "zhou", "mean": "mean"}
    assert bundle.config.network.attention.kind == kinds[trained.best.variant]
    assert manifest["config"]["network"]["attention"]["kind"] == kinds[trained.best.variant]
    assert bundle.model_version == "small/1"
    load_scorer(bundle)  # passes its golden documents


def test_all_trials_are_in_the_manifest_and_the_report(trained):
    manifest = load_bundle(trained.folder).manifest
    assert len(manifest["trials"]) == 4
    page = (Path(trained.folder) / "report.html").read_text(encoding="utf-8")
    assert "Gain of variant base over each other variant" in page
    assert "the command" in (Path(trained.folder) / "model_card.md").read_text(encoding="utf-8")


def test_the_linear_baseline_stands_beside_the_model(trained):
    fitted = [trial for trial in trained.trials if trial.baseline is not None]
    assert [(trial.variant, trial.seed) for trial in fitted] == [("base", 1)]
    folder = Path(trained.folder)
    manifest = load_bundle(trained.folder).manifest
    measured = json.loads((folder / "baseline.json").read_text(encoding="utf-8"))
    assert manifest["baseline"]["scores"]["test"]["accuracy"] == measured["test"]["accuracy"] == 1
    assert set(manifest["baseline"]["differences"]) == {"validation", "test"}
    assert BaselineRecord.from_json(manifest["baseline"]) == trained.baseline
    for page in ("report.html", "model_card.md"):
        text = (folder / page).read_text(encoding="utf-8")
        assert "test, linear baseline" in text
        assert "The linear baseline is TF-IDF (words 1-2 and characters 2-5)" in text


def test_nothing_is_left_but_datasets_models_and_logs(trained):
    workspace = Path(trained.folder).parents[2]
    left = {path.name for path in workspace.iterdir() if any(path.rglob("*.*"))}
    assert left == {"datasets", "logs", "models"}


def test_what_is_chosen_is_in_the_bundle_and_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(trial_config, "DOCUMENTS_SEEN", 250)
    monkeypatch.setattr(trial_config, "LEAST_EPOCHS", 1)
    values = good_and_bad(tmp_path, texts=60, epochs="auto")
    values["text"] = {}
    config = build_config(values, [], where="the test")
    trained = train(config, beam_options=[], files=BeamFiles(), command="the command")
    rows = trained.dataset.rows("train")
    assert 84 <= rows < 120  # with which three epochs are chosen
    assert trained.chosen_epochs == trained.best.epochs == 3
    bundle = load_bundle(trained.folder)
    assert (bundle.config.text.max_tokens, bundle.config.training.epochs) == (16, 3)
    for section, key, number in (("text", "max_tokens", 16), ("training", "epochs", 3)):
        assert bundle.manifest["config"][section][key] == number
    load_scorer(bundle)  # passes its golden documents
    print_trained(trained)
    shown = capsys.readouterr().out
    assert "max_tokens   16 (auto: 100 % of the documents of train have no more)\n" in shown
    assert "epochs       at most 3 (auto)\n" in shown

    again = train(config, beam_options=[], files=BeamFiles(), command="the command")
    assert again.dataset.reused
    assert again.dataset.files == trained.dataset.files
    assert again.best.metrics == trained.best.metrics


@pytest.mark.long
def test_a_network_with_every_kind_of_dropout_is_published(tmp_path):
    config = training_config(tmp_path, epochs=1)
    network = NetworkConfig(
        embedding=EmbeddingConfig(units=8, dropout=0.1, spatial_dropout=0.1),
        lstm=LSTMConfig(units=4, layers=2, merge="sum", dropout=0.1, recurrent_dropout=0.2),
        attention=AttentionConfig(kind="multihead", units=8, heads=2),
        l2=0.001,
    )
    config = dataclasses.replace(config, network=network)
    trained = train(config, beam_options=[], files=BeamFiles(), command="the command")
    bundle = load_bundle(trained.folder)
    for engine in ("folded", "keras", "tensorflow"):
        load_scorer(bundle, engine=engine)  # passes its golden documents


@pytest.mark.long
def test_word_vectors_are_named_with_their_digest_and_coverage(tmp_path):
    lines = [f"{word} " + " ".join(["0.1"] * 8) for word in ("good", "bad", "elsewhere")]
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("\n".join(lines) + "\n", encoding="utf-8")
    digest = hashlib.sha256(vectors.read_bytes()).hexdigest()
    config = training_config(tmp_path, epochs=1)
    embedding = dataclasses.replace(config.network.embedding, vectors=str(vectors))
    network = dataclasses.replace(config.network, embedding=embedding)
    config = dataclasses.replace(config, network=network)
    trained = train(config, beam_options=[], files=BeamFiles(), command="the command")

    named = load_bundle(trained.folder).manifest["vectors"]
    tokens = trained.best.vocabulary_ids - 2  # without the padding and the bucket of unknown ones
    assert named == {"file": str(vectors), "digest": digest, "found": 2, "tokens": tokens}
    card = (Path(trained.folder) / "model_card.md").read_text(encoding="utf-8")
    assert f"has 2 of the vocabulary's {tokens} tokens" in card
    assert digest in card


def test_missing_vectors_of_a_variant_are_refused_before_anything(tmp_path):
    variant = {"name": "v", "overrides": ["network.embedding.vectors=nowhere.txt"]}
    config = training_config(tmp_path, variants=[variant])
    with pytest.raises(ConfigError, match=r"expected a file of word vectors at 'nowhere\.txt'"):
        train(config, beam_options=[], files=BeamFiles(), command="the command")
    assert not Path(config.workspace).exists()


def test_a_variant_whose_head_cannot_learn_the_labels_is_refused_before_training(tmp_path):
    variant = {"name": "several", "overrides": ["network.head=multilabel"]}
    with pytest.raises(ConfigError, match=r"network\.head: expected softmax or sigmoid"):
        train(
            training_config(tmp_path, variants=[variant]),
            beam_options=[],
            files=BeamFiles(),
            command="",
        )


def test_vectors_of_another_width_are_refused_before_anything(tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("2 3\ngood 1 2 3\nbad 1 2 3\n")
    config = training_config(tmp_path)
    embedding = dataclasses.replace(config.network.embedding, vectors=str(vectors))
    network = dataclasses.replace(config.network, embedding=embedding)
    with pytest.raises(ConfigError, match="expected vectors of 8 units, got 3"):
        check_vector_files([dataclasses.replace(config, network=network)], files=BeamFiles())


def test_the_metrics_are_those_of_scoring_the_texts(tmp_path):
    """Long documents, unknown words: training measures what a scorer predicts."""
    rows = [
        {"text": f"{word} {'and on ' * (row % 9)} x{row} {other}", "label": label}
        for row in range(60)
        for word, other, label in (("good", "goodly", "pos"), ("bad", "badly", "neg"))
    ]
    values = good_and_bad(tmp_path, texts=1)
    values["corpus"]["inputs"] = [
        {"path": write_json_lines(tmp_path / f"{split}.jsonl", rows[start::3]), "split": split}
        for start, split in enumerate(("train", "validation", "test"))
    ]
    trained = train(
        build_config(values, [], where="the test"),
        beam_options=[],
        files=BeamFiles(),
        command="the command",
    )
    bundle = load_bundle(trained.folder)
    assert bundle.read_wide_part() is not None
    metrics = json.loads((bundle.folder / "metrics.json").read_text())
    for start, split in ((1, "validation"), (2, "test")):
        batch, _ = load_scorer(bundle).score(pa.array([row["text"] for row in rows[start::3]]))
        truth = [bundle.labels.index(row["label"]) for row in rows[start::3]]
        probabilities = np.array(batch.column("probabilities").to_pylist())
        loss = -np.log(probabilities[np.arange(len(truth)), truth]).mean()
        assert loss == pytest.approx(metrics[split]["loss"], rel=1e-4)


@pytest.mark.long
def test_seeds_share_one_fit_of_the_wide_part(tmp_path, caplog):
    caplog.set_level(logging.INFO, "limelight")
    train(
        training_config(tmp_path, seeds=[1, 2]),
        beam_options=[],
        files=BeamFiles(),
        command="the command",
    )
    fits = [message for message in caplog.messages if message.startswith("wide part: C is")]
    mixes = [message for message in caplog.messages if "with the network alone" in message]
    assert (len(fits), len(mixes)) == (1, 2)


def train_quickly(folder: Path, caplog: pytest.LogCaptureFixture) -> Trained:
    caplog.set_level(logging.INFO, "limelight")
    config = training_config(folder, epochs=1)
    return train(config, beam_options=[], files=BeamFiles(), command="the command")


@pytest.mark.long
def test_the_wide_part_of_a_large_corpus_is_fitted_to_some_of_it(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(trial_wide, "MAX_TOKENS", 100)
    trained = train_quickly(tmp_path, caplog)
    assert "wide part: fitted to 20 of 9" in caplog.text
    assert load_bundle(trained.folder).read_wide_part() is not None


@pytest.mark.long
def test_a_damaged_wide_part_of_another_trial_is_made_again(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(Trial, "wide_folder", str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / WIDE_WEIGHTS).write_bytes(b"no weights")
    trained = train_quickly(tmp_path, caplog)
    assert "wide.weights.safetensors is damaged and is made again" in caplog.text
    assert load_bundle(trained.folder).read_wide_part() is not None


@pytest.mark.long
def test_the_networks_of_all_seeds_predict_together(tmp_path):
    values = good_and_bad(tmp_path, texts=40, seeds=[1, 2], ensemble=True, monitor="loss")
    config = build_config(values, [], where="the test")
    trained = train(config, beam_options=[], files=BeamFiles(), command="the command")
    assert [trial.variant for trial in trained.trials] == ["base", "base", "ensemble"]
    losses = [trial.metrics["validation"]["loss"] for trial in trained.trials]
    assert losses[2] < max(losses[:2])
    assert trained.trials[2].best_epoch is None
    print_trained(trained)
    load_scorer(load_bundle(trained.folder))  # passes its golden documents
