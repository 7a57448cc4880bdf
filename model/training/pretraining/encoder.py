"""An encoder: the pretrained embedding and LSTM of a classifier, in a folder of its own."""

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import yaml
from pydantic import Field, TypeAdapter

from model.bundle.errors import BundleError
from model.bundle.file_names import CONFIG, VOCABULARY
from model.bundle.manifest import sha256_of_file
from model.bundle.schema_checks import Count, Text, check_schema, object_of
from model.bundle.weights_file import read_shapes, read_weights, write_weights
from model.config import ConfigError, EmbeddingConfig, LSTMConfig, NetworkConfig
from model.files.json_values import parse_json
from model.files.regular_files import read_regular
from model.layers.weights import assign_weights, copy_weights
from model.text.tokenizer import TOKENIZER_KEYS
from model.text.vocabulary import Vocabulary, count_ids
from model.training.pretraining.language_model import SHARED_LAYERS
from model.weights import Shapes, Weights, check_shapes, weight_shapes

WEIGHTS = "encoder.weights.safetensors"

# The keys of a config in which a classifier must agree with the encoder that it starts from.
# Otherwise weights would not fit, or tokens would be cut or folded in another way.
SHARED_KEYS = (
    *(("text", name) for name in TOKENIZER_KEYS),
    ("network", "embedding", "units"),
    ("network", "lstm", "units"),
    ("network", "lstm", "bidirectional"),
)


MAX_VOCABULARY = 1 << 28  # bytes; the largest word vectors have 2 million tokens, in 20 MB

_DESCRIBED = object_of(bytes=Count, sha256=Text)
_SIZES = object_of(units=Annotated[Count, Field(ge=1)])
_MANIFEST_SCHEMA: TypeAdapter[Any] = TypeAdapter(
    object_of(
        files=object_of(**{WEIGHTS: _DESCRIBED, VOCABULARY: _DESCRIBED}),
        config=object_of(
            text=object_of(oov_buckets=Annotated[Count, Field(ge=1, lt=2**31)]),
            network=object_of(
                embedding=_SIZES,
                lstm=object_of(units=Annotated[Count, Field(ge=1)], bidirectional=bool),
            ),
        ),
    )
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


def parse_encoder_manifest(content: bytes, *, where: str) -> dict[str, Any]:
    """The manifest in the content of a file.

    Args:
        content: of the file.
        where: the file, for messages.

    Raises:
        ConfigError: if it is not JSON.
        BundleError: naming the key that does not fit; also if it is not that of an encoder.
    """
    manifest: Any = parse_json(content, where=where)
    finished = isinstance(manifest, dict) and manifest.get("status") == "done"
    if not finished or manifest.get("stage") != "pretrain":
        raise BundleError(
            f"network.pretrained: expected the folder of an encoder, got {where!r}, which is not "
            "the manifest of one. Check the path, or make one with: limelight pretrain --help."
        )
    check_schema(_MANIFEST_SCHEMA, manifest, where=where)
    checked: dict[str, Any] = manifest
    return checked


def read_encoder(folder: Path, *, manifest: Mapping[str, Any], where: str) -> Encoder:
    """Reads the weights and the vocabulary of an encoder.

    Args:
        folder: a local folder.
        manifest: of the encoder, from `parse_encoder_manifest`.
        where: the encoder's folder in messages.

    Raises:
        ConfigError: if a file is missing or is not the one that was written, or the weights are
            not those of the encoder's config.
    """
    tokens = _read_vocabulary(folder, manifest["files"][VOCABULARY], where=where)
    buckets = manifest["config"]["text"]["oov_buckets"]
    path = folder / WEIGHTS
    if not os.path.lexists(path):
        _compare(None, manifest["files"][WEIGHTS], name=WEIGHTS, where=where)
    try:
        shapes = _shapes(manifest["config"], ids=count_ids(tokens, oov_buckets=buckets))
        check_shapes(read_shapes(path), shapes)
        _compare(sha256_of_file(path), manifest["files"][WEIGHTS], name=WEIGHTS, where=where)
        weights = read_weights(path)
        vocabulary = Vocabulary.from_bytes(tokens, oov_buckets=buckets)
    except BundleError:
        raise
    except (ValueError, OSError) as error:
        raise BundleError(
            f"network.pretrained: expected weights and vocabulary of an encoder in {where}, got an "
            f"error: {' '.join(str(error).split())[:300]}. Copy the whole folder again, or "
            "run limelight pretrain."
        ) from None
    return Encoder(weights=weights, vocabulary=vocabulary)


def _read_vocabulary(folder: Path, described: Mapping[str, Any], *, where: str) -> bytes:
    try:
        content = read_regular(folder / VOCABULARY, limit=MAX_VOCABULARY)
    except OSError:
        content = None
    except ConfigError as error:
        raise BundleError(f"network.pretrained: {error}") from None
    digest = None if content is None else hashlib.sha256(content).hexdigest()
    _compare(digest, described, name=VOCABULARY, where=where)
    return content or b""


def _compare(digest: str | None, described: Mapping[str, Any], *, name: str, where: str) -> None:
    if digest != described["sha256"]:
        problem = "none" if digest is None else "a file with another digest"
        raise BundleError(
            f"network.pretrained: expected {name} in {where} as its manifest describes it, got "
            f"{problem}. Copy the whole folder again, or run limelight pretrain."
        )


def _shapes(config: Mapping[str, Any], *, ids: int) -> dict[str, Shapes]:
    """The shapes of an encoder's weights, those of a classifier with one recurrent layer."""
    embedding, lstm = config["network"]["embedding"], config["network"]["lstm"]
    network = NetworkConfig(
        embedding=EmbeddingConfig(units=embedding["units"]),
        lstm=LSTMConfig(units=lstm["units"], bidirectional=lstm["bidirectional"]),
    )
    shapes = weight_shapes(network, ids=ids, max_tokens=1, labels=2)
    return {layer: shapes[layer] for layer in SHARED_LAYERS if layer in shapes}


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
        value = value.get(part)
    return value
