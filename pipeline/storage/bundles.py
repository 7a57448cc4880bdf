"""Opens model directories on any filesystem; each process copies a remote one once."""

import atexit
import contextlib
import threading
from pathlib import Path

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_limits import LIMITS, check_sizes
from model.bundle.file_names import MANIFEST
from model.bundle.listing import compare_names
from model.bundle.loading import load_bundle
from model.bundle.manifest import parse_manifest, sizes_of
from model.config import ConfigError
from pipeline.storage.files import Files, join
from pipeline.storage.folders import download_files, is_local, list_folder
from pipeline.storage.limited_files import read_small
from pipeline.storage.scratch_folders import scratch_folder

_copying = threading.Lock()
_scratch = contextlib.ExitStack()
atexit.register(_scratch.close)
_copies: dict[tuple[str, bytes], Path] = {}


def open_bundle(files: Files, folder: str) -> Bundle:
    """Reads and verifies a model directory; one on another filesystem is copied here first.

    Raises:
        BundleError: if it is not there, cannot be read, or has changed since it was published.
    """
    if is_local(folder):
        return load_bundle(folder)
    if not files.exists(join(folder, MANIFEST)):
        raise BundleError(
            f"{folder}: expected a model directory with a manifest, got none. "
            "Give --model the folder of one version."
        )
    return load_bundle(_local_copy(files, folder))


def _local_copy(files: Files, folder: str) -> Path:
    """Copies a model directory to this machine, once per process.

    An engine may read the files at any time, so they are deleted only when the process ends. The
    manifest holds the digests of all other files: if it has not changed, neither has the model.
    Nothing is copied before the files are those that the manifest lists, of the same sizes.
    """
    try:
        content = read_small(files, join(folder, MANIFEST), limit=LIMITS[MANIFEST])
    except ConfigError as error:
        raise BundleError(str(error)) from None
    with _copying:
        if (folder, content) not in _copies:
            manifest = parse_manifest(content, where=join(folder, MANIFEST))
            sizes = sizes_of(manifest)
            compare_names(folder, list_folder(files, folder), sizes)
            check_sizes(folder, sizes, ids=manifest["vocabulary_ids"])
            local = Path(_scratch.enter_context(scratch_folder("model")))
            download_files(files, folder, sizes, to=str(local))
            (local / MANIFEST).write_bytes(content)
            _copies[folder, content] = local
        return _copies[folder, content]
