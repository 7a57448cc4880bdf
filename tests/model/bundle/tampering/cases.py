"""A tampered model: how it is made from a whole one, and what the error must name."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model.bundle.file_names import MANIFEST
from model.bundle.manifest import describe_files, model_fingerprint

Change = Callable[[Path], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A tampered model.

    Attributes:
        name: in the report of a failure.
        base: which whole model is copied.
        change: what is done to the copy.
        refit: whether sizes and digests in the manifest are made to fit afterwards.
        names: what the message must contain.
    """

    name: str
    base: str
    change: Change
    refit: bool = True
    names: str


def read_manifest(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return values


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest))


def refit(folder: Path) -> None:
    """Makes the manifest describe the regular files of a folder; other names stay as they were."""
    manifest = read_manifest(folder)
    described = {
        name: each
        for name, each in describe_files(folder).items()
        if not os.path.islink(folder / name)
    }
    manifest["files"] = {**manifest["files"], **described}
    manifest["fingerprint"] = model_fingerprint(manifest["files"])
    write_manifest(folder, manifest)


def write(name: str, content: bytes) -> Change:
    return lambda folder: _write(folder / name, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(content)


def edit(name: str, change: Callable[[bytes], bytes]) -> Change:
    return lambda folder: _write(folder / name, change((folder / name).read_bytes()))


def in_manifest(change: Callable[[dict[str, Any]], object]) -> Change:
    def run(folder: Path) -> None:
        manifest = read_manifest(folder)
        change(manifest)
        write_manifest(folder, manifest)

    return run
