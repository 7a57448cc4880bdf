"""An encoder gives a classifier its LSTM and the vectors of the tokens that both have."""

import dataclasses
import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from model.bundle.errors import BundleError
from model.bundle.manifest import describe_files
from model.config import ConfigError, LSTMConfig, TextConfig, to_plain
from model.layers.classifier import build_classifier
from model.layers.weights import copy_weights
from model.text.vocabulary import Vocabulary
from model.training.pretraining.encoder import (
    WEIGHTS,
    check_settings,
    match_tokens,
    parse_encoder_manifest,
    read_encoder,
    start_from_encoder,
    write_encoder,
)
from tests.model.training.pretraining.language_models import NETWORK, VOCABULARY
from tests.model.training.pretraining.test_language_model import (
    ONE_WAY,
    make_batch,
    make_model,
    states_of,
)

CONFIG = {"text": to_plain(TextConfig()), "network": to_plain(NETWORK)}


def written(folder, network=NETWORK):
    model = make_model(network)
    config = {**CONFIG, "network": to_plain(network)}
    write_encoder(folder, model, vocabulary=VOCABULARY, config=config)
    return model, {"config": config, "files": describe_files(folder)}


@pytest.mark.parametrize("network", [NETWORK, ONE_WAY])
def test_the_states_of_a_classifier_are_those_of_the_language_model(network, tmp_path) -> None:
    model, manifest = written(tmp_path, network)
    encoder = read_encoder(tmp_path, manifest=manifest, where="encoder")
    classifier = build_classifier(network, ids=VOCABULARY.size, max_tokens=12, labels=2)
    before = copy_weights(classifier)
    start_from_encoder(classifier, encoder, VOCABULARY)
    _, (inputs, _, _) = make_batch(negative_samples=5)
    for mine, theirs in zip(
        states_of(classifier, network, inputs), states_of(model, network, inputs), strict=True
    ):
        for row, length in enumerate(inputs["length"]):
            np.testing.assert_array_equal(mine[row, :length], theirs[row, :length])
    after = copy_weights(classifier)
    for layer in ("attention", "head"):
        for name, array in before[layer].items():
            np.testing.assert_array_equal(after[layer][name], array)
    np.testing.assert_array_equal(
        after["embedding"]["embeddings"][0], before["embedding"]["embeddings"][0]
    )


@pytest.mark.parametrize("oov_buckets", [1, 3])
def test_vectors_are_matched_by_the_text_of_their_tokens(oov_buckets, tmp_path) -> None:
    model, manifest = written(tmp_path)
    encoder = read_encoder(tmp_path, manifest=manifest, where="encoder")
    vocabulary = Vocabulary(["new", "t7", "t3", "other"], oov_buckets=oov_buckets)
    classifier = build_classifier(NETWORK, ids=vocabulary.size, max_tokens=12, labels=2)
    before = copy_weights(classifier)["embedding"]["embeddings"]
    start_from_encoder(classifier, encoder, vocabulary)
    after = copy_weights(classifier)["embedding"]["embeddings"]
    table = copy_weights(model)["embedding"]["embeddings"]
    first = vocabulary.first_token_id
    np.testing.assert_array_equal(after[[first + 1, first + 2]], table[[2 + 7, 2 + 3]])
    np.testing.assert_array_equal(after[[0, first, first + 3]], before[[0, first, first + 3]])
    expected = table[1:2] if oov_buckets == 1 else before[1:first]
    np.testing.assert_array_equal(after[1:first], expected)


def test_vocabularies_without_a_common_token_match_in_nothing() -> None:
    mine, theirs = match_tokens(Vocabulary(["a"], oov_buckets=1), Vocabulary(["b"], oov_buckets=2))
    assert len(mine) == len(theirs) == 0


@pytest.mark.parametrize("change", ["remove", "alter"])
def test_a_file_that_is_not_the_one_that_was_written_is_refused(change, tmp_path) -> None:
    _, manifest = written(tmp_path)
    path = tmp_path / WEIGHTS
    if change == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    expected = rf"^network\.pretrained: expected {WEIGHTS} in the/folder as its manifest"
    with pytest.raises(ConfigError, match=expected):
        read_encoder(tmp_path, manifest=manifest, where="the/folder")


def tampered(folder, change, *, file):
    """The manifest of an encoder of which a file is changed; it is made to fit."""
    _, manifest = written(folder)
    change(folder / file)
    return {**manifest, "files": describe_files(folder)}


def change_array(name, change):
    def run(path):
        arrays = load_file(path)
        arrays[name] = change(arrays[name])
        path.write_bytes(save(arrays))

    return run


@pytest.mark.parametrize(
    ("array", "change", "problem"),
    [
        ("embedding.embeddings", lambda a: a[:-1].copy(), "expected shape"),
        ("embedding.embeddings", lambda a: np.repeat(a, 300, axis=0), "expected shape"),
        ("bilstm_1.forward_lstm.kernel", lambda a: a.T.copy(), "expected shape"),
        ("bilstm_1.forward_lstm.recurrent_kernel", lambda a: a[:, :-4].copy(), "expected shape"),
        ("bilstm_1.backward_lstm.bias", lambda a: np.append(a, a), "expected shape"),
        ("bilstm_1.backward_lstm.bias", lambda a: a.astype(np.float64), "expected float32"),
        ("bilstm_1.backward_lstm.bias", lambda a: a * np.float32(np.nan), "or NaN"),
    ],
)
def test_arrays_of_another_encoder_are_refused_by_name(array, change, problem, tmp_path) -> None:
    manifest = tampered(tmp_path, change_array(array, change), file=WEIGHTS)
    with pytest.raises(BundleError, match=rf"in the/folder, got an error: {array}: .*{problem}"):
        read_encoder(tmp_path, manifest=manifest, where="the/folder")


@pytest.mark.parametrize("file", [WEIGHTS, "vocabulary.txt"])
@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path)]
)
def test_what_is_no_file_is_refused_in_an_encoder(file, make, tmp_path) -> None:
    _, manifest = written(tmp_path)
    (tmp_path / file).unlink()
    make(tmp_path / file)
    with pytest.raises(BundleError, match=rf"{file}: expected a regular file, got a"):
        read_encoder(tmp_path, manifest=manifest, where="the/folder")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a\na\n", "expected shape"),
        (b"\n".join([b"same"] * (VOCABULARY.size - VOCABULARY.first_token_id)), "occurs once"),
        (b"\xff", "expected shape"),
        (b"", "expected shape"),
    ],
)
def test_another_vocabulary_is_refused(text, problem, tmp_path) -> None:
    manifest = tampered(tmp_path, lambda path: path.write_bytes(text), file="vocabulary.txt")
    with pytest.raises(BundleError, match=problem):
        read_encoder(tmp_path, manifest=manifest, where="the/folder")


MANIFEST = {
    "stage": "pretrain",
    "status": "done",
    "files": {key: {"bytes": 1, "sha256": "0" * 64} for key in (WEIGHTS, "vocabulary.txt")},
    "config": CONFIG,
}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"files": []}, "files"),
        ({"files": {}}, f"files.{WEIGHTS}"),
        (
            {"files": {**MANIFEST["files"], WEIGHTS: {"bytes": "1", "sha256": ""}}},
            rf"files\.{WEIGHTS}\.bytes",
        ),
        ({"config": None}, "config"),
        ({"config": {**CONFIG, "text": {"oov_buckets": "1"}}}, "config.text.oov_buckets"),
        ({"config": {**CONFIG, "network": {"lstm": {}}}}, "config.network.embedding"),
        (
            {"config": {**CONFIG, "network": {**CONFIG["network"], "lstm": {"units": 0}}}},
            "config.network.lstm.units",
        ),
    ],
)
def test_a_manifest_of_other_types_is_refused_by_key(changes, key) -> None:
    assert parse_encoder_manifest(json.dumps(MANIFEST).encode(), where="m")["config"] == CONFIG
    with pytest.raises(BundleError, match=rf"^m: {key}"):
        parse_encoder_manifest(json.dumps({**MANIFEST, **changes}).encode(), where="m")


@pytest.mark.parametrize(
    "content", [b"[", b"[" * 100_000, b"[]", b"{}", b'{"stage": ["pretrain"]}']
)
def test_what_is_no_manifest_of_an_encoder_is_refused(content) -> None:
    with pytest.raises(ConfigError, match=r"expected JSON|expected the folder of an encoder"):
        parse_encoder_manifest(content, where="m")


@pytest.mark.parametrize(
    ("text", "lstm", "message"),
    [
        (
            {},
            {"units": 9},
            "network.lstm.units: expected 6, as in the encoder the/folder (network.pretrained), "
            "got 9. Set network.lstm.units to 6, or pretrain an encoder with this config.",
        ),
        ({}, {"units": 6, "bidirectional": False}, "network.lstm.bidirectional: expected True"),
        ({}, {"units": 6, "layers": 0}, "network.lstm.layers: expected 1 or more"),
        ({"lowercase": False}, {"units": 6}, "text.lowercase: expected True, as in the encoder"),
        ({"protected": ("x+",)}, {"units": 6}, "text.protected: expected [], as in the encoder"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_by_its_key(text, lstm, message) -> None:
    network = dataclasses.replace(NETWORK, lstm=LSTMConfig(**lstm))
    config = {"text": to_plain(TextConfig(**text)), "network": to_plain(network)}
    with pytest.raises(ConfigError) as raised:
        check_settings(config, CONFIG, where="the/folder")
    assert str(raised.value).startswith(message)


def test_settings_that_may_differ() -> None:
    lstm = LSTMConfig(units=6, layers=2, merge="sum", dropout=0.5)
    config = {
        "text": to_plain(TextConfig(max_tokens=7, vocabulary_size=9)),
        "network": to_plain(dataclasses.replace(NETWORK, lstm=lstm)),
    }
    check_settings(config, CONFIG, where="the/folder")


def test_an_encoder_without_the_key_keeps_invisible_characters() -> None:
    text = {key: value for key, value in CONFIG["text"].items() if key != "invisible"}
    config = {**CONFIG, "text": to_plain(TextConfig(invisible="keep"))}
    check_settings(config, {**CONFIG, "text": text}, where="the/folder")
    with pytest.raises(ConfigError, match=r"text\.invisible: expected 'keep', as in the encoder"):
        check_settings(CONFIG, {**CONFIG, "text": text}, where="the/folder")
