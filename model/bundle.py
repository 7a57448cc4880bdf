"""The model directory: save, verify, load.

A bundle is data: YAML, JSON, text, HDF5 weights. Nothing in it is unpickled and
no code in it is run to load it; the SavedModel in `serving` is a program of TensorFlow's, which
the engine `tensorflow` alone runs. Its manifest lists the SHA-256 of every file; a changed or
missing one, or a newer version of the schema, is refused by name.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from model.config import (
    ConfigError,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
    to_plain,
)
from model.config_loading import load_section
from model.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    import keras

SCHEMA_VERSION = 1

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
WEIGHTS = "network.weights.h5"
VOCABULARY = "vocabulary.txt"
LABELS = "labels.txt"
GOLDEN = "golden.jsonl"
METRICS = "metrics.json"
HISTORY = "history.csv"
STATISTICS = "statistics.json"
GALLERY = "gallery.jsonl"
PROFILE = "profile.json"  # of the validation documents, to tell drift by
SERVING = "serving"

# What a prediction depends on; the rest of a bundle describes.
DECISIVE = (CONFIG, WEIGHTS, VOCABULARY, LABELS)


class BundleError(ConfigError):
    """A model directory that must not be used; the message is one line for a person."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The sections of a config that a model carries with it."""

    text: TextConfig
    network: NetworkConfig
    training: TrainingConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class Golden:
    """A document whose prediction is known: what every scorer must reproduce.

    Attributes:
        text: the document.
        probabilities: one a label, as training saw them.
        attention: one weight a token.
    """

    text: str
    probabilities: list[float]
    attention: list[float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified model directory."""

    folder: Path
    config: ModelConfig
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def model_version(self) -> str:
        """`<name>/<version>`, as it was published."""
        return str(self.manifest["model_version"])

    def golden(self) -> list[Golden]:
        """The documents of the self-test."""
        lines = (self.folder / GOLDEN).read_text(encoding="utf-8").splitlines()
        return [Golden(**json.loads(line)) for line in lines]

    def build_network(self) -> "keras.Model":
        """The network with its trained weights, built anew on this machine, for inference.

        Building here, not loading a traced graph, is what lets a GPU choose cuDNN. Dropout of
        the recurrent input, which only training has, would rule that and the fused kernel out,
        and leave its random state in a SavedModel.
        """
        from model.layers.classifier import build_classifier

        config = self.config.network
        lstm = dataclasses.replace(config.lstm, recurrent_dropout=0.0)
        network = build_classifier(
            dataclasses.replace(config, lstm=lstm),
            ids=self.vocabulary.size,
            max_tokens=self.config.text.max_tokens,
            labels=len(self.labels),
        )
        try:
            network.load_weights(self.folder / WEIGHTS)
        except (ValueError, OSError) as error:
            raise BundleError(
                f"{self.folder / WEIGHTS}: expected the weights of the network in {CONFIG}, got "
                f"{' '.join(str(error).split())[:200]}. Train the model again."
            ) from error
        return network

    def read_weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The trained weights by layer and name, read without Keras."""
        from model.folded.weights import read_weights_file

        path = self.folder / WEIGHTS
        try:
            return read_weights_file(path, kind=self.config.network.attention.kind)
        except (ValueError, OSError, KeyError) as error:
            raise BundleError(
                f"{path}: expected the weights of the network in {CONFIG}, got "
                f"{' '.join(str(error).split())[:200]}. Train the model again."
            ) from error


def write_bundle(
    folder: Path,
    *,
    name: str,
    config: ModelConfig,
    network: "keras.Model",
    vocabulary: Vocabulary,
    labels: Sequence[str],
) -> Bundle:
    """Writes the files that predictions depend on.

    Returns:
        The unsealed bundle: it has no manifest yet, so `load_bundle` refuses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = {"name": name, **to_plain(config)}
    (folder / CONFIG).write_text(yaml.safe_dump(sections, sort_keys=False), encoding="utf-8")
    network.save_weights(folder / WEIGHTS)
    vocabulary.to_file(folder / VOCABULARY)
    write_lines(folder / LABELS, labels)
    return Bundle(
        folder=folder, config=config, vocabulary=vocabulary, labels=tuple(labels), manifest={}
    )


def write_golden(folder: Path, golden: Sequence[Golden]) -> None:
    """Writes the documents of the self-test."""
    write_lines(folder / GOLDEN, [json.dumps(dataclasses.asdict(item)) for item in golden])


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file under a folder but the manifest, by relative path."""
    described = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            described[name] = {"bytes": path.stat().st_size, "sha256": digest_file(path)}
    return described


def describe_text(text: str) -> dict[str, Any]:
    """Size and SHA-256 of a text file to be, as `describe_files` gives them."""
    encoded = text.encode()
    return {"bytes": len(encoded), "sha256": hashlib.sha256(encoded).hexdigest()}


def model_fingerprint(files: Mapping[str, Mapping[str, Any]]) -> str:
    """A hash of the files that predictions depend on: 16 hexadecimal digits."""
    decisive = "\n".join(f"{name} {files[name]['sha256']}" for name in DECISIVE)
    return hashlib.sha256(decisive.encode()).hexdigest()[:16]


def load_bundle(folder: Path | str) -> Bundle:
    """Reads a model directory and verifies every file in it.

    Raises:
        BundleError: naming the file that is missing, changed, unreadable or from
            a newer schema, and what to do.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    for name, described in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BundleError(
                f"{path}: expected this file of the model, got none. "
                "Copy the whole directory again."
            )
        digest = digest_file(path)
        if digest != described["sha256"]:
            raise BundleError(
                f"{path}: expected SHA-256 {described['sha256'][:12]}..., got {digest[:12]}...: "
                "the file was changed after training. Copy the whole directory again."
            )
    sections = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    sections.pop("name", None)
    config = load_section(ModelConfig, sections, where=str(folder / CONFIG))
    labels = read_lines(folder / LABELS)
    vocabulary = Vocabulary.from_file(folder / VOCABULARY, oov_buckets=config.text.oov_buckets)
    if vocabulary.size != manifest["vocabulary_ids"]:
        raise BundleError(
            f"{folder / VOCABULARY}: expected {manifest['vocabulary_ids']} ids, got "
            f"{vocabulary.size}: it belongs to another model. Copy the whole directory again."
        )
    return Bundle(
        folder=folder,
        config=config,
        vocabulary=vocabulary,
        labels=tuple(labels),
        manifest=manifest,
    )


def digest_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Writes one item a line, in UTF-8; an item must not hold a line feed."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def read_lines(path: Path) -> list[str]:
    """Reads what `write_lines` wrote; only a line feed ends a line."""
    return path.read_bytes().decode().split("\n")[:-1]


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema_version = int(manifest["schema_version"])
        files = manifest["files"]
    except OSError as error:
        raise BundleError(
            f"{path}: expected a model directory with a readable manifest, got {error.strerror}. "
            "Give --model the folder of one version, such as runs/models/demo/1."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{path}: expected the manifest of a model, got {error!r}. Train the model again."
        ) from None
    if schema_version > SCHEMA_VERSION:
        raise BundleError(
            f"{path}: expected schema version {SCHEMA_VERSION} or older, got {schema_version}. "
            "Install the Limelight release that wrote it, or a newer one."
        )
    missing = [name for name in (*DECISIVE, GOLDEN) if name not in files]
    if missing:
        raise BundleError(
            f"{path}: expected the manifest to list {missing[0]}, got none. Train the model again."
        )
    return manifest
