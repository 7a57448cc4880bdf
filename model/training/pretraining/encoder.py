"""An encoder: the pretrained embedding and LSTM of a classifier, in a folder of its own."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml

from model.bundle.file_names import CONFIG, VOCABULARY
from model.bundle.manifest import sha256_of_file
from model.bundle.weights_file import read_weights, write_weights
from model.config import ConfigError
from model.layers.weights import assign_weights, copy_weights
from model.text.tokenizer import TOKENIZER_KEYS
from model.text.vocabulary import Vocabulary
from model.training.pretraining.language_model import SHARED_LAYERS
from model.weights import Weights

WEIGHTS = "encoder.weights.safetensors"

# The keys of a config in which a classifier must agree with the encoder that it starts from.
# Otherwise weights would not fit, or tokens would be cut or folded in another way.
SHARED_KEYS = (
    *(("text", name) for name in TOKENIZER_KEYS),
    ("network", "embedding", "units"),
    ("network", "lstm", "units"),
    ("network", "lstm", "bidirectional"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Encoder:
    """Pretrained weights and the vocabulary of their embedding.

    Attributes:
        weights: of `SHARED_LAYERS`, by layer and name; without the backward LSTM if it reads in
            one direction.
        vocabulary: the tokens of the embedding's rows.
    """

    weights: Mapping[str, Weights]
    vocabulary: Vocabulary


def write_encoder(
    folder: Path, network: keras.Model, *, vocabulary: Vocabulary, config: Mapping[str, Any]
) -> None:
    """Writes the files of an encoder but its manifest.

    Args:
        folder: a local folder; created if it does not exist.
        network: from `build_language_model`.
        vocabulary: of its embedding.
        config: with which it was trained, as plain values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = copy_weights(network)
    write_weights(
        folder / WEIGHTS, {name: weights[name] for name in SHARED_LAYERS if name in weights}
    )
    vocabulary.to_file(folder / VOCABULARY)
    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
    (folder / CONFIG).write_text(text, encoding="utf-8")


def read_encoder(folder: Path, *, manifest: Mapping[str, Any], where: str) -> Encoder:
    """Reads the weights and the vocabulary of an encoder.

    Args:
        folder: a local folder.
        manifest: of the encoder; its `files` have the digests.
        where: the encoder's folder in messages.

    Raises:
        ConfigError: if a file is missing or is not the one that was written.
    """
    for name in (WEIGHTS, VOCABULARY):
        path = folder / name
        got = sha256_of_file(path) if path.is_file() else None
        if got != manifest["files"][name]["sha256"]:
            problem = "none" if got is None else "a file with another digest"
            raise ConfigError(
                f"network.pretrained: expected {name} in {where} as its manifest describes it, got "
                f"{problem}. Copy the whole folder again, or run limelight pretrain."
            )
    buckets = manifest["config"]["text"]["oov_buckets"]
    return Encoder(
        weights=read_weights(folder / WEIGHTS),
        vocabulary=Vocabulary.from_file(folder / VOCABULARY, oov_buckets=buckets),
    )


def check_settings(config: Mapping[str, Any], encoder: Mapping[str, Any], *, where: str) -> None:
    """Checks that a classifier can start from an encoder.

    Args:
        config: of the classifier, as plain values.
        encoder: the config of the encoder, as plain values.
        where: the encoder's folder in messages.

    Raises:
        ConfigError: naming the first key in which they differ.
    """
    if config["network"]["lstm"]["layers"] == 0:
        raise ConfigError(
            "network.lstm.layers: expected 1 or more with network.pretrained, got 0. Pass --set "
            "network.lstm.layers=1, or --set network.pretrained=null."
        )
    # Encoders of older releases read invisible characters as part of words.
    encoder = {**encoder, "text": {"invisible": "keep", **encoder["text"]}}
    for key in SHARED_KEYS:
        expected, got = _value(encoder, key), _value(config, key)
        if got != expected:
            name = ".".join(key)
            raise ConfigError(
                f"{name}: expected {expected!r}, as in the encoder {where} (network.pretrained), "
                f"got {got!r}. Set {name} to {expected!r}, or pretrain an encoder with this config."
            )


def start_from_encoder(network: keras.Model, encoder: Encoder, vocabulary: Vocabulary) -> None:
    """Gives a classifier the LSTM of an encoder, and the vectors of the tokens that both have.

    Other tokens keep their vectors. So do unknown tokens, unless both have the same number of
    buckets for them.

    Args:
        network: from `model.layers.classifier.build_classifier`.
        encoder: checked by `check_settings`.
        vocabulary: of the network.
    """
    weights = copy_weights(network)
    mine, theirs = match_tokens(vocabulary, encoder.vocabulary)
    table = np.array(weights["embedding"]["embeddings"])
    table[mine] = encoder.weights["embedding"]["embeddings"][theirs]
    copied = {name: encoder.weights[name] for name in encoder.weights if name != "embedding"}
    assign_weights(network, {**weights, **copied, "embedding": {"embeddings": table}})


def match_tokens(vocabulary: Vocabulary, other: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """The ids of the tokens that two vocabularies share, in each of them, int64 `(tokens,)`."""
    ids = {token: other.first_token_id + place for place, token in enumerate(other.tokens)}
    both = [
        (vocabulary.first_token_id + place, ids[token])
        for place, token in enumerate(vocabulary.tokens)
        if token in ids
    ]
    if vocabulary.oov_buckets == other.oov_buckets:
        both = [*((bucket, bucket) for bucket in range(1, vocabulary.first_token_id)), *both]
    mine, theirs = zip(*both, strict=True) if both else ((), ())
    return np.array(mine, np.int64), np.array(theirs, np.int64)


def count_shared(vocabulary: Vocabulary, other: Vocabulary) -> int:
    """How many tokens of a vocabulary are in another one."""
    return len(set(vocabulary.tokens) & set(other.tokens))


def _value(config: Mapping[str, Any], key: tuple[str, ...]) -> Any:
    value: Any = config
    for part in key:
        value = value[part]
    return value
