"""Chooses the fastest engine on this machine by timing each on the same documents."""

import logging
import time
from collections.abc import Mapping

import numpy as np

from model.bundle.bundle import Bundle
from model.config import EngineName
from model.scoring.engines import Engine

logger = logging.getLogger("limelight")

# The documents of the sample, each as long as a document may be: as many as a GPU computes at once.
SAMPLE_ROWS = 4096
SAMPLE_TOKENS = 1 << 22  # of all of them together; of very long documents there are fewer


def choose_fastest(engines: Mapping[EngineName, Engine], bundle: Bundle) -> EngineName:
    """Times every engine once, after a first run that compiles, and logs the choice."""
    tokens = min(bundle.config.text.max_tokens, SAMPLE_TOKENS)
    rows = min(SAMPLE_ROWS, SAMPLE_TOKENS // tokens)
    ids = np.random.default_rng(0).integers(
        1, bundle.vocabulary.size, rows * tokens, dtype=np.int32
    )
    row_offsets = np.arange(rows + 1, dtype=np.int64) * tokens
    speeds = {}
    for name, engine in engines.items():
        engine.run(ids, row_offsets)
        started = time.perf_counter()
        engine.run(ids, row_offsets)
        speeds[name] = rows / (time.perf_counter() - started)
    fastest = max(speeds, key=lambda name: speeds[name])
    measured = ", ".join(f"{name} {speed:,.0f}" for name, speed in speeds.items())
    logger.info(
        "scoring.engine auto: %s, because it is the fastest here with documents of %d tokens "
        "(documents/s: %s)",
        fastest,
        tokens,
        measured,
    )
    return fastest
