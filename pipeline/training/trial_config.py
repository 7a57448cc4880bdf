"""The config of a trial: numbers in place of every `auto`."""

import dataclasses

from model.config import ResolvedTextConfig
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResolvedConfig(Config):
    """A config in which no value depends on the corpus any more."""

    text: ResolvedTextConfig = dataclasses.field()  # without a default


def resolve_config(config: Config, dataset: Dataset) -> ResolvedConfig:
    """The config with the numbers that fit the dataset prepared with it."""
    sections = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return ResolvedConfig(**{**sections, "text": dataset.text})
