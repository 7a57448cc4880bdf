"""What `train` starts from is checked before anything is prepared."""

import dataclasses
import functools
import json
from pathlib import Path

import pytest

from model.config import ConfigError, to_plain
from pipeline.config.loading import build_config
from pipeline.config.sections import Config
from pipeline.stages.prepare import prepare
from pipeline.stages.train import train
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.good_and_bad import good_and_bad


def training_config(folder: Path) -> Config:
    return build_config(good_and_bad(folder, texts=60), [], where="the test")


def train_from(config: Config, *, vectors: Path | None = None, encoder: Path | None = None) -> None:
    """Trains with these word vectors, or from this encoder."""
    network = config.network
    if vectors is not None:
        embedding = dataclasses.replace(network.embedding, vectors=str(vectors))
        network = dataclasses.replace(network, embedding=embedding)
    if encoder is not None:
        network = dataclasses.replace(network, pretrained=str(encoder))
    changed = dataclasses.replace(config, network=network)
    train(changed, beam_options=[], files=BeamFiles(), command="")


def test_missing_vectors_fail_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match=r"network.embedding.vectors: expected a file"):
        train_from(training_config(tmp_path), vectors=tmp_path / "no.txt")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("good 1 2 3 4 5 6 7 8\nbad 1 2\n", "line 2: expected a word and 8 numbers, got 3 fields"),
        ("good 1 2 3 4 5 6 7 8\nbad 1 2 3 4 5 6 7 x\n", "line 2: expected 8 numbers, got"),
        ("good 1 2 3 4 5 6 7 nan\n", "line 1: expected finite numbers"),
        ("", "expected lines of a word and 8 numbers, got none"),
    ],
)
def test_a_bad_line_of_vectors_is_found_before_anything_is_prepared(tmp_path, lines, message):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(lines)
    config = training_config(tmp_path)
    embedding = dataclasses.replace(config.network.embedding, vectors=str(vectors))
    network = dataclasses.replace(config.network, embedding=embedding)
    for vector_tokens, run in ((0, functools.partial(train, command="")), (1, prepare)):
        text = dataclasses.replace(config.text, vector_tokens=vector_tokens)
        changed = dataclasses.replace(config, network=network, text=text)
        with pytest.raises(ConfigError, match=message):
            run(changed, beam_options=[], files=BeamFiles())
    assert not (tmp_path / "runs" / "datasets").exists()


def test_vectors_of_another_language_are_bad_usage(tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("hvor 1 2 3 4 5 6 7 8\n")
    with pytest.raises(ConfigError, match=r"got none of them\..*if text\.lowercase is true\.$"):
        train_from(training_config(tmp_path), vectors=vectors)


@pytest.mark.parametrize("damage", ["no weights", "cut weights", "cut manifest"])
def test_an_encoder_whose_files_are_not_whole_is_refused_before_anything(tmp_path, damage):
    config = training_config(tmp_path)
    folder = tmp_path / "encoder"
    folder.mkdir()
    weights = folder / "encoder.weights.safetensors"
    weights.write_bytes(b"12345")
    manifest = {
        "stage": "pretrain",
        "status": "done",
        "config": to_plain(config),
        "files": {
            weights.name: {"bytes": 5, "sha256": 64 * "0"},
            "vocabulary.txt": {"bytes": 1, "sha256": 64 * "0"},
        },
    }
    (folder / "manifest.json").write_text(
        json.dumps(manifest)[: 50 if "manifest" in damage else None]
    )
    if damage == "no weights":
        weights.unlink()
    elif damage == "cut weights":
        weights.write_bytes(b"1")
    with pytest.raises(ConfigError, match=r"network\.pretrained: .*expected "):
        train_from(config, encoder=folder)
    assert not (tmp_path / "runs").exists()


def test_a_teacher_with_other_tokens_is_refused_before_anything(tmp_path, model):
    config = training_config(tmp_path)
    changed = dataclasses.replace(
        config,
        text=dataclasses.replace(config.text, nfkc=True),
        teachers=dataclasses.replace(config.teachers, models=(model,)),
    )
    with pytest.raises(ConfigError, match=r"expected a model with text\.nfkc True"):
        train(changed, beam_options=[], files=BeamFiles(), command="")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("run", [functools.partial(train, command=""), prepare])
def test_a_workspace_that_cannot_be_written_is_bad_usage(tmp_path, run):
    (tmp_path / "file").touch()
    config = dataclasses.replace(training_config(tmp_path), workspace=str(tmp_path / "file" / "ws"))
    with pytest.raises(ConfigError, match="workspace: expected a folder that can be written, got"):
        run(config, beam_options=[], files=BeamFiles())
