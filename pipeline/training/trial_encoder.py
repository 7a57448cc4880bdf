"""The pretrained encoder that a trial's network starts from."""

import logging
from pathlib import Path
from typing import Any

from model.bundle.errors import BundleError
from model.bundle.file_limits import LIMITS
from model.bundle.file_names import VOCABULARY
from model.config import ConfigError, to_plain
from model.text.vocabulary import Vocabulary
from model.training.pretraining.encoder import (
    WEIGHTS,
    Encoder,
    check_settings,
    count_shared,
    parse_encoder_manifest,
    read_encoder,
)
from pipeline.config.sections import Config
from pipeline.storage.files import Files, join
from pipeline.storage.folders import download_files, is_local
from pipeline.storage.limited_files import read_small
from pipeline.storage.manifest import MANIFEST, fingerprint
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.training.trial import Trial

logger = logging.getLogger("limelight")


def digest_encoder(config: Config, *, files: Files) -> str | None:
    """The digest of the encoder that `network.pretrained` names; None without one.

    Called before anything is prepared, so that a wrong path does not fail after hours of work.

    Raises:
        ConfigError: if there is no encoder, or its settings are not those of the network.
    """
    folder = config.network.pretrained
    if folder is None:
        return None
    manifest = _read_manifest(folder, files=files)
    check_settings(to_plain(config), manifest["config"], where=folder)
    for name in (WEIGHTS, VOCABULARY):
        described = manifest["files"][name]
        path = join(folder, name)
        if not files.exists(path) or files.size(path) != described["bytes"]:
            raise ConfigError(
                f"network.pretrained: expected {path} with {described['bytes']:,} bytes, as the "
                "manifest of the encoder says. Copy the whole folder again, or run limelight "
                "pretrain."
            )
    return fingerprint(manifest["files"])


def read_trial_encoder(trial: Trial, vocabulary: Vocabulary, *, files: Files) -> Encoder | None:
    """The encoder of the trial's network; None if the config names none.

    Raises:
        ConfigError: as `read_encoder` does.
    """
    folder = trial.config.network.pretrained
    if folder is None:
        return None
    manifest = _read_manifest(folder, files=files)
    with scratch_folder("encoder") as scratch:
        local = Path(scratch)
        if is_local(folder):
            local = Path(folder)
        else:
            download_files(files, folder, (WEIGHTS, VOCABULARY), to=scratch)
        encoder = read_encoder(local, manifest=manifest, where=folder)
    logger.info(
        "encoder: %s of %s tokens of the vocabulary are in %s",
        f"{count_shared(vocabulary, encoder.vocabulary):,}",
        f"{len(vocabulary.tokens):,}",
        folder,
    )
    return encoder


def describe_encoder(trial: Trial, encoder: Encoder, vocabulary: Vocabulary) -> dict[str, Any]:
    """The `encoder` of a model's manifest: the folder, its digest, how many tokens it has."""
    return {
        "folder": trial.config.network.pretrained,
        "digest": trial.encoder_digest,
        "found": count_shared(vocabulary, encoder.vocabulary),
        "tokens": len(vocabulary.tokens),
    }


def _read_manifest(folder: str, *, files: Files) -> dict[str, Any]:
    path = join(folder, MANIFEST)
    if not files.exists(path):
        raise ConfigError(
            f"network.pretrained: expected the folder of an encoder, got {folder!r} without the "
            "manifest of one. Check the path, or make one with: limelight pretrain --help."
        )
    try:
        content = read_small(files, path, limit=LIMITS[MANIFEST])
        return parse_encoder_manifest(content, where=path)
    except (BundleError, ConfigError) as error:
        key = "network.pretrained: "
        raise BundleError(f"{key}{str(error).removeprefix(key)}") from None
