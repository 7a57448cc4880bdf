"""Opens model directories on any filesystem; each process copies a remote one once."""

import atexit
import contextlib
import threading
from pathlib import Path

from model.bundle.bundle import Bundle
from model.bundle.errors import BundleError
from model.bundle.file_names import MANIFEST
from model.bundle.loading import load_bundle
from pipeline.storage.files import Files, join
from pipeline.storage.folders import download_folder, is_local
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
    """
    with files.open(join(folder, MANIFEST)) as stream:
        manifest = stream.read()
    with _copying:
        if (folder, manifest) not in _copies:
            local = _scratch.enter_context(scratch_folder("model"))
            download_folder(files, folder, to=local)
            _copies[folder, manifest] = Path(local)
        return _copies[folder, manifest]
