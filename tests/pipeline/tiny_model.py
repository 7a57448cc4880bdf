"""A model small enough to be made anew in every test run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model.bundle.bundle import Bundle
from model.config import (
    EmbeddingConfig,
    LSTMConfig,
    ModelConfig,
    NetworkConfig,
    ResolvedTextConfig,
    ResolvedTrainingConfig,
    WideConfig,
)
from model.text.vocabulary import Vocabulary
from tests.model.bundles import write_untrained_model

LABELS = ("long", "short")
TOKENS = ("good", "bad", "so", "poison")
CONFIG = ModelConfig(
    text=ResolvedTextConfig(max_tokens=6),
    network=NetworkConfig(embedding=EmbeddingConfig(units=3), lstm=LSTMConfig(units=2), wide=None),
    training=ResolvedTrainingConfig(epochs=1),
)


@dataclasses.dataclass(frozen=True)
class LengthEngine:
    """An engine without a network: the more tokens, the likelier `long`; equal attention."""

    fails_on: Callable[[np.ndarray], bool] | None = None

    def run(self, ids: np.ndarray, row_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.fails_on is not None and self.fails_on(ids):
            raise ArithmeticError("not with these tokens")
        lengths = np.diff(row_offsets)
        long = lengths / (lengths + 1.5)
        probabilities = np.stack([long, 1 - long], axis=1).astype(np.float32)
        return probabilities, np.repeat(1 / lengths, lengths).astype(np.float32)


def unsaved_bundle(folder: Path) -> Bundle:
    """The model's vocabulary, labels and config, without a network."""
    return Bundle(
        folder=folder,
        config=CONFIG,
        vocabulary=Vocabulary(TOKENS, oov_buckets=1),
        labels=LABELS,
        manifest={"model_version": "tiny/1"},
    )


WIDE = WideConfig(bigram_bits=8, character_bits=8)


def write_model(folder: Path, *, labels: tuple[str, ...] = LABELS, wide: bool = False) -> str:
    """Writes a whole model directory with random weights; returns its path."""
    network = dataclasses.replace(CONFIG.network, wide=WIDE if wide else None)
    write_untrained_model(
        folder,
        config=dataclasses.replace(CONFIG, network=network),
        tokens=TOKENS,
        labels=labels,
        golden_texts=["good", "so bad a day", "日本"],
        wide=wide,
        manifest={"model_version": "tiny/1"},
    )
    return str(folder)
