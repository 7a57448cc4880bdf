"""Models on any filesystem, loaded once a process."""

import atexit
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from model.bundle import MANIFEST, Bundle, BundleError, load_bundle
from model.scoring import Scorer, load_scorer
from pipeline.config import ScoringConfig
from pipeline.runs.files import Files, join
from pipeline.runs.folders import download_folder, is_local

# Threads of one worker process wait here for the one that loads the model.
_loading = threading.Lock()
_loaded: dict[tuple[object, ...], Scorer] = {}
_copying = threading.Lock()
_copies: dict[tuple[str, bytes], Path] = {}


def open_bundle(files: Files, folder: str) -> Bundle:
    """Verifies a model directory, from a copy on this machine if it lies elsewhere.

    Raises:
        BundleError: if it is not there, not readable or not as it was published.
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
    """A model directory on this machine, copied once a process and deleted when it ends.

    An engine may read its files at any time. The manifest holds the digests of all others,
    so a copy with the same one is the same model.
    """
    with files.open(join(folder, MANIFEST)) as stream:
        manifest = stream.read()
    with _copying:
        if (folder, manifest) not in _copies:
            local = tempfile.mkdtemp(prefix="limelight-model-")
            atexit.register(shutil.rmtree, local, ignore_errors=True)
            download_folder(files, folder, to=local)
            _copies[folder, manifest] = Path(local)
        return _copies[folder, manifest]


def shared_scorers(files: Files, folders: Sequence[str], config: ScoringConfig) -> list[Scorer]:
    """The process's one scorer of each model, however many threads ask for them.

    A version's folder never changes, so its path stands for its content. Models
    that are not asked for are forgotten.
    """
    how = (config.engine, config.threads, config.long_documents)
    with _loading:
        for key in [key for key in _loaded if key[0] not in folders or key[1:] != how]:
            del _loaded[key]
        for folder in folders:
            if (folder, *how) not in _loaded:
                _loaded[folder, *how] = load_scorer(
                    open_bundle(files, folder),
                    engine=config.engine,
                    threads=None if config.threads == "auto" else config.threads,
                    long_documents=config.long_documents,
                )
        return [_loaded[folder, *how] for folder in folders]
