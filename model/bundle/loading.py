"""Loads a model directory after verifying every file in it."""

import dataclasses
from pathlib import Path

import yaml

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_names import CONFIG, LABELS, VOCABULARY
from model.bundle.lines import read_lines
from model.bundle.manifest import read_manifest, sha256_of_file
from model.config import ModelConfig
from model.config_loading import load_section
from model.text.vocabulary import Vocabulary


def load_bundle(folder: Path | str) -> Bundle:
    """Reads a model directory and verifies every file in it.

    Raises:
        BundleError: naming the file that is missing, changed, unreadable or from
            a newer schema, and what to do.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    for name, described in manifest["files"].items():
        _verify_file(folder / name, sha256=described["sha256"])
    bundle = dataclasses.replace(read_unpublished(folder), manifest=manifest)
    if bundle.vocabulary.size != manifest["vocabulary_ids"]:
        raise BundleError(
            f"{folder / VOCABULARY}: expected {manifest['vocabulary_ids']} ids, got "
            f"{bundle.vocabulary.size}: the file is from another model. Copy the whole directory "
            "again."
        )
    return bundle


def read_unpublished(folder: Path) -> Bundle:
    """Reads a model directory that this program is writing and that has no manifest yet."""
    sections = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    sections.pop("name", None)
    # Models of older releases have no wide part, and read invisible characters as part of words.
    sections["network"].setdefault("wide", None)
    sections["text"].setdefault("invisible", "keep")
    config = load_section(ModelConfig, sections, where=str(folder / CONFIG))
    return Bundle(
        folder=folder,
        config=config,
        vocabulary=Vocabulary.from_file(folder / VOCABULARY, oov_buckets=config.text.oov_buckets),
        labels=tuple(read_lines(folder / LABELS)),
        manifest={},
    )


def _verify_file(path: Path, *, sha256: str) -> None:
    if not path.is_file():
        raise BundleError(
            f"{path}: expected this file of the model, got none. Copy the whole directory again."
        )
    digest = sha256_of_file(path)
    if digest != sha256:
        raise BundleError(
            f"{path}: expected SHA-256 {sha256[:12]}..., got {digest[:12]}...: "
            "the file was changed after training. Copy the whole directory again."
        )
