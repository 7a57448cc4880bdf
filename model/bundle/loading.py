"""Loads a model directory after verifying every file in it.

Nothing is believed that can be checked: first the manifest, then which files there are and how
large they are, then the small files that say which shape every array has, then the headers of the
weights, and last the digests of the large files. Each file is refused before it could take memory
or time without bound.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from model.bundle.bundle import Bundle
from model.bundle.config_file import parse_config
from model.bundle.errors import BundleError
from model.bundle.file_limits import LIMITS, check_sizes
from model.bundle.file_names import CONFIG, GOLDEN, LABELS, VOCABULARY, WEIGHTS
from model.bundle.golden import parse_golden
from model.bundle.labels_file import parse_labels
from model.bundle.listing import compare_names, list_files
from model.bundle.manifest import read_manifest, sha256_of_file, sizes_of, weights_file
from model.bundle.side_files import SIDE_FILES, check_side_file
from model.bundle.stored_weights import StoredWeights
from model.config import ConfigError
from model.files.regular_files import read_regular
from model.text.vocabulary import Vocabulary, count_ids


def load_bundle(folder: Path | str) -> Bundle:
    """Reads a model directory and verifies every file in it.

    Raises:
        BundleError: naming the file that is missing, changed, unlisted, too large, unreadable or
            from a newer schema, or the key in it that does not fit, and what to do.
    """
    folder = Path(folder)
    with _bundle_errors(folder):
        manifest = read_manifest(folder)
        sizes = sizes_of(manifest)
        ids = manifest["vocabulary_ids"]
        compare_names(str(folder), list_files(folder), sizes)
        check_sizes(str(folder), sizes, ids=ids)
        files = manifest["files"]
        small = {
            name: _read_verified(folder / name, files[name])
            for name in (CONFIG, LABELS, VOCABULARY, GOLDEN, *SIDE_FILES)
            if name in files
        }
        bundle = _assemble(folder, small, manifest=manifest)
        for name, described in files.items():
            if name not in small:
                _compare(folder / name, sha256_of_file(folder / name), described)
        parse_golden(small[GOLDEN], labels=len(bundle.labels), where=str(folder / GOLDEN))
        for name in SIDE_FILES:
            if name in small:
                check_side_file(name, small[name], where=str(folder / name))
        return bundle


def read_unpublished(folder: Path) -> Bundle:
    """Reads a model directory that this program is writing and that has no manifest yet.

    Raises:
        BundleError: naming the file or the key that does not fit.
    """
    limits = {CONFIG: LIMITS[CONFIG], LABELS: LIMITS[LABELS], VOCABULARY: _LARGEST_VOCABULARY}
    with _bundle_errors(folder):
        parts = {name: read_regular(folder / name, limit=most) for name, most in limits.items()}
        return _assemble(folder, parts, manifest={})


_LARGEST_VOCABULARY = 1 << 31  # bytes


def _assemble(folder: Path, parts: Mapping[str, bytes], *, manifest: Mapping[str, Any]) -> Bundle:
    """A bundle from the contents of its small files, after the headers of its weights are checked.

    The vocabulary is taken apart last: before, it is known that the weights have as many rows.
    """
    config = parse_config(parts[CONFIG], where=str(folder / CONFIG))
    labels = parse_labels(parts[LABELS], head=config.network.head, where=str(folder / LABELS))
    content, buckets = parts[VOCABULARY], config.text.oov_buckets
    ids = count_ids(content, oov_buckets=buckets)
    if manifest and ids != manifest["vocabulary_ids"]:
        raise BundleError(
            f"{folder / VOCABULARY}: expected {manifest['vocabulary_ids']} ids, got {ids}: the "
            "file is from another model. Copy the whole directory again."
        )
    StoredWeights(
        folder=folder,
        file=weights_file(manifest["files"]) if manifest else WEIGHTS,
        config=config,
        ids=ids,
        labels=len(labels),
    ).check_headers()
    try:
        vocabulary = Vocabulary.from_bytes(content, oov_buckets=buckets)
    except ValueError as error:
        raise BundleError(
            f"{folder / VOCABULARY}: {' '.join(str(error).split())[:300]}. "
            "Copy the whole directory again."
        ) from None
    bundle = Bundle(
        folder=folder, config=config, vocabulary=vocabulary, labels=labels, manifest=manifest
    )
    try:
        _ = bundle.markers
    except ConfigError as error:
        raise BundleError(f"{folder / CONFIG}: {error}") from None
    return bundle


def _read_verified(path: Path, described: Mapping[str, Any]) -> bytes:
    content = read_regular(path, limit=described["bytes"])
    _compare(path, hashlib.sha256(content).hexdigest(), described)
    return content


def _compare(path: Path, digest: str, described: Mapping[str, Any]) -> None:
    # No digits of a digest are shown: they could tell something of a file that is none of ours.
    if digest != described["sha256"]:
        raise BundleError(
            f"{path}: expected SHA-256 as the manifest says, got another: the file was changed "
            "after training. Copy the whole directory again."
        )


@contextlib.contextmanager
def _bundle_errors(folder: Path) -> Iterator[None]:
    """Makes every error of a file that cannot be used a `BundleError`."""
    try:
        yield
    except BundleError:
        raise
    except ConfigError as error:
        raise BundleError(str(error)) from None
    except OSError as error:
        raise BundleError(
            f"{error.filename or folder}: expected a file of a model that can be read, got "
            f"{error.strerror}. Copy the whole directory again."
        ) from None
    except MemoryError:
        raise BundleError(
            f"{folder}: expected a model that fits in the memory of this machine, got a larger one."
        ) from None
