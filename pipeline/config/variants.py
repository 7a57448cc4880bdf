"""Variants of a config: the same corpus, another network or another training."""

import dataclasses

from model.config import ConfigError, VariantConfig, to_plain
from pipeline.config.loading import build_config
from pipeline.config.sections import Config


def vary_config(config: Config, variant: VariantConfig) -> Config:
    """The config with a variant's overrides; it keeps the corpus and the text.

    Raises:
        ConfigError: as `build_config` does, or if the variant needs another dataset.
    """
    where = f"training.variants, {variant.name!r}"
    varied = build_config(to_plain(config), variant.overrides, where=where)
    if dataclasses.replace(varied, network=config.network, training=config.training) != config:
        raise ConfigError(
            f"{where}: expected overrides of network and training, got "
            f"{', '.join(variant.overrides)}. Give what else differs a config of its own."
        )
    for key in ("gpu", "mixed_precision", "resources", "seeds", "variants"):
        if getattr(varied.training, key) != getattr(config.training, key):
            raise ConfigError(
                f"{where}: expected what a network or its training is, got training.{key}, which "
                "all trainings of a command share. Run another command with --set "
                f"training.{key}=..."
            )
    return varied
