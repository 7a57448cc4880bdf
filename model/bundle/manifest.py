"""The manifest of a model directory: its schema version and the SHA-256 of every file."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from model.bundle.errors import BundleError
from model.bundle.file_limits import LIMITS
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
from model.bundle.listing import is_plain_name
from model.bundle.manifest_schema import MANIFEST_SCHEMA
from model.bundle.schema_checks import check_schema
from model.config import ConfigError
from model.files.json_values import parse_json
from model.files.regular_files import open_regular, read_regular

# Older ones are still read: 1 has `HDF5_WEIGHTS` in place of `WEIGHTS`, and 1 and 2 have no
# `WIDE_WEIGHTS`. Since 4, the weights may be those of several networks.
SCHEMA_VERSION = 4

_AGAIN = "Copy the model directory again, or train the model again."


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


def sizes_of(manifest: Mapping[str, Any]) -> dict[str, int]:
    """The size of each file by a manifest."""
    return {name: described["bytes"] for name, described in manifest["files"].items()}


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a regular file, hexadecimal.

    Raises:
        ConfigError: if it is no regular file.
    """
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Reads the manifest of a model directory.

    Raises:
        BundleError: if it is missing, no regular file, damaged, of a newer schema, or does not
            list a file that every model has.
    """
    path = folder / MANIFEST
    try:
        content = read_regular(path, limit=LIMITS[MANIFEST])
    except OSError as error:
        raise BundleError(
            f"{path}: expected a model directory with a readable manifest, got {error.strerror}. "
            "Give --model the folder of one version, such as runs/models/demo/1."
        ) from None
    except BundleError:
        raise
    except ConfigError as error:
        raise BundleError(str(error)) from None
    return parse_manifest(content, where=str(path))


def parse_manifest(content: bytes, *, where: str) -> dict[str, Any]:
    """The manifest in the content of a file.

    Args:
        content: of the file.
        where: the file, for messages.

    Raises:
        BundleError: as `read_manifest`.
    """
    try:
        manifest = parse_json(content, where=where)
    except ConfigError as error:
        raise BundleError(
            f"{where}: expected the manifest of a model, got a damaged one ({error}). {_AGAIN}"
        ) from None
    stage = manifest.get("stage") if isinstance(manifest, dict) else None
    if isinstance(stage, str) and stage != "train":
        raise BundleError(
            f"{where}: expected the manifest of a model, got that of a run of "
            f"{ascii(stage[:40])[1:-1]}. Give the folder of one version of a model, such as "
            "runs/models/demo/1."
        )
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if type(version) is int and version > SCHEMA_VERSION:
        raise BundleError(
            f"{where}: expected schema version {SCHEMA_VERSION} or older, got {version}. "
            "Install the Limelight release that wrote it, or a newer one."
        )
    try:
        check_schema(MANIFEST_SCHEMA, manifest, where="the manifest")
    except BundleError as error:
        raise BundleError(
            f"{where}: expected the manifest of a model, got a damaged one: {error}"
        ) from None
    _check_files(manifest, where=where)
    checked: dict[str, Any] = manifest
    return checked


def _check_files(manifest: Mapping[str, Any], *, where: str) -> None:
    """Checks the names of the files that a manifest lists, and its fingerprint of them."""
    files = manifest["files"]
    for name in files:
        if not is_plain_name(name) or name == MANIFEST:
            raise BundleError(
                f"{where}: files: expected names of files below the model directory, got "
                f"{name[:100]!a}. Do not use this model directory."
            )
    try:
        expected = (*prediction_files(files), GOLDEN)
    except BundleError as error:
        raise BundleError(f"{where}: {error}") from None
    missing = [name for name in expected if name not in files]
    if missing:
        raise BundleError(
            f"{where}: expected the manifest to list {missing[0]}, got none. Train the model again."
        )
    if manifest["fingerprint"] != model_fingerprint(files):
        raise BundleError(
            f"{where}: fingerprint: expected that of the listed files, got another. {_AGAIN}"
        )
