"""The manifest of a model directory: its schema version and the SHA-256 of every file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.bundle.errors import BundleError
from model.bundle.file_names import GOLDEN, MANIFEST, PREDICTION_FILES

SCHEMA_VERSION = 1


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


def model_fingerprint(files: Mapping[str, Mapping[str, Any]]) -> str:
    """A hash of the files that predictions depend on: 16 hexadecimal digits.

    Args:
        files: from `describe_files`.
    """
    lines = "\n".join(f"{name} {files[name]['sha256']}" for name in PREDICTION_FILES)
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
        raise BundleError(
            f"{path}: expected the manifest of a model, got {error!r}. Train the model again."
        ) from None
    if schema_version > SCHEMA_VERSION:
        raise BundleError(
            f"{path}: expected schema version {SCHEMA_VERSION} or older, got {schema_version}. "
            "Install the Limelight release that wrote it, or a newer one."
        )
    missing = [name for name in (*PREDICTION_FILES, GOLDEN) if name not in files]
    if missing:
        raise BundleError(
            f"{path}: expected the manifest to list {missing[0]}, got none. Train the model again."
        )
    return manifest
