"""Scorers, loaded once a process."""

import threading
from collections.abc import Sequence

from model.scoring.loading import load_scorer
from model.scoring.scorer import Scorer
from pipeline.config.sections import ScoringConfig
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import Files

# Threads of one worker process wait here for the one that loads the model.
_loading = threading.Lock()


_loaded: dict[tuple[object, ...], Scorer] = {}


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
