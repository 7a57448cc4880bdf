"""The manifest of a model directory: its schema version and the SHA-256 of every file."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from model.bundle.errors import BundleError
from model.bundle.file_names import (
    CONFIG,
    GOLDEN,
    HDF5_WEIGHTS,
    LABELS,
    MANIFEST,
    VOCABULARY,
    WEIGHTS,
    WIDE_WEIGHTS,
)

# Older ones are still read: 1 has `HDF5_WEIGHTS` in place of `WEIGHTS`, and 1 and 2 have no
# `WIDE_WEIGHTS`. Since 4, the weights may be those of several networks.
SCHEMA_VERSION = 4


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file under a folder but the manifest, by relative path."""
    described = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            described[name] = {"bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
    return described


def describe_text(text: str) -> dict[str, Any]:
    """Size and SHA-256 of a file that will hold this text, as `describe_files` returns them."""
    encoded = text.encode()
    return {"bytes": len(encoded), "sha256": hashlib.sha256(encoded).hexdigest()}


def weights_file(files: Collection[str]) -> str:
    """The name of the file with the network's weights, among the names of a bundle's files.

    Raises:
        BundleError: if there is none, or one of each schema.
    """
    found = [name for name in (WEIGHTS, HDF5_WEIGHTS) if name in files]
    if len(found) != 1:
        got = "both" if found else "none"
        raise BundleError(
            f"expected the manifest to list {WEIGHTS} or, in a model of an older release, "
            f"{HDF5_WEIGHTS}, got {got}. Train the model again."
        )
    return found[0]


def prediction_files(files: Collection[str]) -> tuple[str, ...]:
    """The files that predictions depend on; the other files only describe the model.

    Raises:
        BundleError: as `weights_file`.
    """
    wide = (WIDE_WEIGHTS,) if WIDE_WEIGHTS in files else ()
    return (CONFIG, weights_file(files), *wide, VOCABULARY, LABELS)


def model_fingerprint(files: Mapping[str, Mapping[str, Any]]) -> str:
    """A hash of the files that predictions depend on: 16 hexadecimal digits.

    Args:
        files: from `describe_files`.
    """
    lines = "\n".join(f"{name} {files[name]['sha256']}" for name in prediction_files(files))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _describe_other(path: Path, error: Exception) -> str:
    """What a manifest is that is not a model's."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        stage = values.get("stage") if isinstance(values, dict) else None
    except ValueError:
        stage = None
    if stage and stage != "train":
        return (
            f"{path}: expected the manifest of a model, got that of a run of {stage}. Give the "
            "folder of one version of a model, such as runs/models/demo/1."
        )
    return (
        f"{path}: expected the manifest of a model, got a damaged one ({type(error).__name__}: "
        f"{error}). Copy the model directory again, or train the model again."
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Reads the manifest of a model directory.

    Raises:
        BundleError: if it is missing, damaged, of a newer schema, or does not list a file that
            every model has.
    """
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
        raise BundleError(_describe_other(path, error)) from None
    if schema_version > SCHEMA_VERSION:
        raise BundleError(
            f"{path}: expected schema version {SCHEMA_VERSION} or older, got {schema_version}. "
            "Install the Limelight release that wrote it, or a newer one."
        )
    try:
        expected = (*prediction_files(files), GOLDEN)
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from None
    missing = [name for name in expected if name not in files]
    if missing:
        raise BundleError(
            f"{path}: expected the manifest to list {missing[0]}, got none. Train the model again."
        )
    return manifest
