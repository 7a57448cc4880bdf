"""Variants of a config: another network or training, on the same dataset."""

import dataclasses

from model.config import ConfigError, VariantConfig, to_plain
from pipeline.config.loading import build_config
from pipeline.config.sections import Config


def vary_config(config: Config, variant: VariantConfig) -> Config:
    """The config with the overrides of a variant; corpus and text stay the same.

    Raises:
        ConfigError: for the same errors as `build_config`, and if the variant overrides anything
            but network and training, or a key that all trials of a command share.
    """
    where = f"training.variants, {variant.name!r}"
    varied = build_config(to_plain(config), variant.overrides, where=where)
    if dataclasses.replace(varied, network=config.network, training=config.training) != config:
        raise ConfigError(
            f"{where}: expected overrides of network and training, got "
            f"{', '.join(variant.overrides)}. Put other differences into a separate config."
        )
    for key in ("baseline", "gpu", "mixed_precision", "resources", "seeds", "variants"):
        if getattr(varied.training, key) != getattr(config.training, key):
            raise ConfigError(
                f"{where}: expected only keys that may differ between the trials of one "
                f"command, got training.{key}. Run another command with --set training.{key}=..."
            )
    return varied
