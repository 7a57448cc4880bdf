"""pretrain writes an encoder from which a training starts, and resumes after a kill."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle.loading import load_bundle
from model.bundle.weights_file import read_weights
from model.config import ConfigError
from pipeline.cli.app import run_command
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.stages.train import train
from pipeline.stages.unlabeled.pretrain import pretrain
from pipeline.storage.beam_files import BeamFiles
from pipeline.training.trial_encoder import digest_encoder
from tests.json_lines import write_json_lines
from tests.pipeline.stages.good_and_bad import good_and_bad

pytestmark = pytest.mark.long

FILES = BeamFiles()
WEIGHTS = "encoder.weights.safetensors"


def config_values(folder: Path) -> dict[str, Any]:
    values = good_and_bad(folder, texts=40, epochs=1)
    rows = [{"text": f"a good film and bad luck number {row}"} for row in range(60)]
    unlabeled = write_json_lines(folder / "unlabeled.jsonl", rows)
    values["corpus"]["inputs"].append({"path": unlabeled, "split": "unlabeled"})
    values["network"]["wide"] = None
    values["pretraining"] = {"negative_samples": 8, "batch_size": 16}
    return values


def make_config(folder: Path, **network: object) -> Config:
    values = config_values(folder)
    values["network"] |= network
    return build_config(values, [], where="the test")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    """An encoder that the command line wrote, and its config beside it."""
    folder = tmp_path_factory.mktemp("encoder")
    (folder / "config.json").write_text(json.dumps(config_values(folder)))
    output = folder / "encoder"
    config = ["--config", str(folder / "config.json")]
    assert run_command(["pretrain", *config, "--output", str(output)]) == 0
    return output


def test_the_folder_of_an_encoder(encoder) -> None:
    names = {WEIGHTS, "vocabulary.txt", "config.yaml", "history.csv"}
    assert {path.name for path in encoder.iterdir()} == {*names, "manifest.json"}
    manifest = json.loads((encoder / "manifest.json").read_text())
    assert (manifest["stage"], manifest["status"]) == ("pretrain", "done")
    assert set(manifest["files"]) == {item["file"] for item in manifest["outputs"]} == names
    assert manifest["rows"]["used"] == 140
    assert manifest["config"]["pretraining"]["epochs"] == 2
    assert set(read_weights(encoder / WEIGHTS)) == {
        "embedding",
        "bilstm_1.forward_lstm",
        "bilstm_1.backward_lstm",
    }
    assert len((encoder / "history.csv").read_text().splitlines()) == 3
    workspace = encoder.parent / "runs"
    assert not any((workspace / "checkpoints").rglob("*.*"))


def test_a_training_starts_from_the_encoder_and_names_it(encoder, tmp_path) -> None:
    config = make_config(tmp_path, pretrained=str(encoder))
    trained = train(config, beam_options=[], files=FILES, command="the command")
    named = load_bundle(trained.folder).manifest["encoder"]
    tokens = trained.best.vocabulary_ids - 2
    digest = digest_encoder(config, files=FILES)
    assert named["folder"] == str(encoder)
    assert named["digest"] == digest
    assert 0 < named["found"] <= named["tokens"] == tokens
    card = (Path(trained.folder) / "model_card.md").read_text(encoding="utf-8")
    assert f"has {named['found']} of the vocabulary's {tokens} tokens" in card
    assert digest is not None
    assert digest in card
    learned = read_weights(Path(trained.folder) / "network.weights.safetensors")
    start = read_weights(encoder / WEIGHTS)
    for layer in ("bilstm_1.forward_lstm", "bilstm_1.backward_lstm"):
        moved = np.abs(learned[layer]["kernel"] - start[layer]["kernel"]).max()
        assert 0 < moved < 0.1  # one epoch away from where it started


def test_a_run_that_was_killed_resumes_and_writes_the_same_files(
    encoder, tmp_path, monkeypatch
) -> None:
    from pipeline.stages.unlabeled import pretrain as stage

    config = dataclasses.replace(
        make_config(encoder.parent), workspace=str(tmp_path / "runs"), name="again"
    )
    output = str(tmp_path / "encoder")
    save = stage.save_checkpoint

    def save_and_die(*arguments: Any, **named: Any) -> None:
        save(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stage, "save_checkpoint", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            pretrain(config, output=output, beam_options=[], files=FILES)
    assert not Path(output).exists()
    made = pretrain(config, output=output, beam_options=[], files=FILES)
    assert len(made.history) == 2
    assert made.dataset.reused
    for name in (WEIGHTS, "vocabulary.txt"):
        assert (Path(output) / name).read_bytes() == (encoder / name).read_bytes()


def test_a_network_of_another_width_is_refused_before_anything(encoder, tmp_path) -> None:
    config = make_config(tmp_path, pretrained=str(encoder), lstm={"units": 5})
    with pytest.raises(ConfigError, match=r"^network\.lstm\.units: expected 4, as in the encoder"):
        train(config, beam_options=[], files=FILES, command="")
    assert not Path(config.workspace).exists()


@pytest.mark.parametrize("status", [None, "running"])
def test_a_folder_without_a_complete_encoder_is_refused_before_anything(status, tmp_path) -> None:
    folder = tmp_path / "nothing"
    if status:
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps({"stage": "pretrain", "status": status}))
    config = make_config(tmp_path, pretrained=str(folder))
    with pytest.raises(ConfigError, match=r"^network\.pretrained: expected the folder of an enc"):
        train(config, beam_options=[], files=FILES, command="")
    assert not Path(config.workspace).exists()


def test_without_an_lstm_there_is_nothing_to_pretrain(tmp_path) -> None:
    config = make_config(tmp_path, lstm={"layers": 0})
    with pytest.raises(ConfigError, match=r"^network\.lstm\.layers: expected 1 or more, got 0"):
        pretrain(config, output=str(tmp_path / "encoder"), beam_options=[], files=FILES)
    assert not Path(config.workspace).exists()


def test_a_dry_run_writes_nothing(tmp_path, capsys) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_values(tmp_path)))
    before = set(tmp_path.iterdir())
    words = ["--config", str(tmp_path / "config.json"), "--output", str(tmp_path / "encoder")]
    assert run_command(["pretrain", *words, "--dry-run"]) == 0
    assert set(tmp_path.iterdir()) == before
    assert f"would write  {tmp_path / 'encoder'}" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"^--output: expected a folder's path without"):
        run_command(["pretrain", *words[:2], "--output", "a*"])
