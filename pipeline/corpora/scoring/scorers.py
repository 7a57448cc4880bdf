"""Scorers that all threads of a process share."""

import threading
from collections.abc import Sequence

from model.scoring.loading import load_scorer
from model.scoring.scorer import Scorer
from pipeline.config.sections import ScoringConfig
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files

# While one thread of a worker process loads the model, the others wait for it.
_load_lock = threading.Lock()

_loaded: dict[tuple[object, ...], Scorer] = {}


def shared_scorers(files: Files, folders: Sequence[str], config: ScoringConfig) -> list[Scorer]:
    """One scorer for each model folder; each process loads a scorer once.

    The folder of a model version never changes, so its path identifies its content. Scorers from
    an earlier call that this call does not ask for are released.
    """
    settings = (config.engine, config.threads, config.long_documents)
    with _load_lock:
        for key in [key for key in _loaded if key[0] not in folders or key[1:] != settings]:
            del _loaded[key]
        for folder in folders:
            if (folder, *settings) not in _loaded:
                _loaded[folder, *settings] = load_scorer(
                    open_bundle(files, folder),
                    engine=config.engine,
                    threads=None if config.threads == "auto" else config.threads,
                    long_documents=config.long_documents,
                )
        return [_loaded[folder, *settings] for folder in folders]
