"""A small language model on examples whose tokens follow one another by a rule."""

from pathlib import Path
from typing import Any

import numpy as np

from model.config import EmbeddingConfig, LSTMConfig, NetworkConfig, TrainingConfig
from model.text.vocabulary import Vocabulary
from model.training.devices import Devices
from model.training.examples import Examples
from model.training.fit import Fitted, Hooks
from model.training.pretraining.fit_language_model import LanguageData, fit_language_model
from model.training.pretraining.pretraining_config import PretrainingConfig

NETWORK = NetworkConfig(embedding=EmbeddingConfig(units=8), lstm=LSTMConfig(units=6))
VOCABULARY = Vocabulary([f"t{rank}" for rank in range(20)], oov_buckets=1)


def make_language(rows: int, *, seed: int) -> Examples:
    """Documents of 2 to 12 tokens, each of which follows from the one before; some are unknown."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 13, rows)
    row_offsets = np.concatenate([[0], np.cumsum(lengths)])
    start = np.repeat(rng.integers(0, 20, rows), lengths)
    ids = 2 + (start + 3 * (np.arange(row_offsets[-1]) - np.repeat(row_offsets[:-1], lengths))) % 20
    ids[rng.random(len(ids)) < 0.05] = 1
    return Examples(
        ids=ids.astype(np.int32),
        row_offsets=row_offsets,
        labels=np.zeros(rows, np.int64),
        weights=np.ones(rows, np.float32),
    )


def pretrain(
    folder: Path,
    *,
    network: NetworkConfig = NETWORK,
    negative_samples: int = 5,
    hooks: Hooks | None = None,
    validation: bool = True,
    training: TrainingConfig | None = None,
    **changes: Any,
) -> Fitted:
    settings = PretrainingConfig(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.05, **changes})
    return fit_language_model(
        LanguageData(
            train=make_language(300, seed=1),
            validation=make_language(50, seed=2) if validation else None,
            vocabulary=VOCABULARY,
        ),
        network=network,
        config=settings.as_training(training or TrainingConfig()),
        negative_samples=negative_samples,
        embedding_matrix=None,
        devices=Devices(),
        checkpoints=folder,
        hooks=hooks or Hooks(on_batch=lambda _: None, on_epoch=lambda *_: None),
    )
