"""The config of a trial: numbers in place of every `auto`."""

import dataclasses

from model.config import ResolvedTextConfig, ResolvedTrainingConfig, TrainingConfig
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset

# With `training.epochs: auto` the network sees about this many documents, each once an epoch.
DOCUMENTS_SEEN = 300_000

# Few documents: early stopping ends the training before the network learns them by heart. Many
# documents: the learning rate needs some epochs to fall.
LEAST_EPOCHS, MOST_EPOCHS = 5, 40


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResolvedConfig(Config):
    """A config in which no value depends on the corpus any more."""

    text: ResolvedTextConfig = dataclasses.field()  # without a default
    training: ResolvedTrainingConfig = dataclasses.field()


def resolve_config(config: Config, dataset: Dataset, *, documents: int) -> ResolvedConfig:
    """The config with the numbers that fit the dataset prepared with it.

    Args:
        config: as the user wrote it.
        dataset: what is trained on.
        documents: at most so many are trained on in an epoch.
    """
    sections = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    training = _resolve_training(config.training, documents=documents)
    return ResolvedConfig(**{**sections, "text": dataset.text, "training": training})


def _resolve_training(training: TrainingConfig, *, documents: int) -> ResolvedTrainingConfig:
    epochs = choose_epochs(documents) if training.epochs == "auto" else training.epochs
    settings = {field.name: getattr(training, field.name) for field in dataclasses.fields(training)}
    return ResolvedTrainingConfig(**{**settings, "epochs": epochs})


def choose_epochs(documents: int) -> int:
    """The epochs in which a network sees about `DOCUMENTS_SEEN` documents, within the limits."""
    return min(max(-(-DOCUMENTS_SEEN // documents), LEAST_EPOCHS), MOST_EPOCHS)
