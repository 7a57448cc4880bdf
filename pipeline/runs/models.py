"""Models on any filesystem, loaded once a process."""

import tempfile
import threading
from pathlib import Path

from model.bundle import MANIFEST, Bundle, BundleError, load_bundle
from model.config import EngineName
from model.scoring import Scorer, load_scorer
from pipeline.runs.files import Files, join
from pipeline.runs.folders import download_folder, is_local

# Threads of one worker process wait here for the one that loads the model.
_loading = threading.Lock()
_loaded: dict[tuple[str, str], Scorer] = {}


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
    # The copy lives as long as the process: an engine may read its files later.
    local = Path(tempfile.mkdtemp(prefix="limelight-model-"))
    download_folder(files, folder, to=str(local))
    return load_bundle(local)


def shared_scorer(files: Files, folder: str, *, engine: EngineName) -> Scorer:
    """The process's one scorer of a model, however many threads ask for it.

    A version's folder never changes, so its path stands for its content.
    """
    with _loading:
        key = (folder, engine)
        if key not in _loaded:
            _loaded.clear()  # one model at a time: a second one replaces the first
            _loaded[key] = load_scorer(open_bundle(files, folder), engine=engine)
        return _loaded[key]
