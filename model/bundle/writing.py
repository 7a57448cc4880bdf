"""Writes the files of a model directory that predictions depend on."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from model.bundle.bundle import Bundle
from model.bundle.file_names import CONFIG, LABELS, VOCABULARY, WEIGHTS, WIDE_WEIGHTS
from model.bundle.lines import write_lines
from model.bundle.weights_file import write_weights
from model.config import ModelConfig, to_plain
from model.text.vocabulary import Vocabulary
from model.weights import Weights
from model.wide.wide_part import WIDE

if TYPE_CHECKING:
    import keras


def write_bundle(
    folder: Path,
    *,
    name: str,
    config: ModelConfig,
    network: "keras.Model",
    vocabulary: Vocabulary,
    labels: Sequence[str],
    wide: Weights | None = None,
) -> Bundle:
    """Writes the files that predictions depend on.

    Without weights of a wide part the model has none, and its config says so.

    Returns:
        The bundle without a manifest. `load_bundle` refuses the folder until one is written.
    """
    # Imported here: it brings Keras, and only a process that has a network needs it.
    from model.layers.weights import copy_weights

    if wide is None:
        config = dataclasses.replace(config, network=dataclasses.replace(config.network, wide=None))
    folder.mkdir(parents=True, exist_ok=True)
    sections = {"name": name, **to_plain(config)}
    (folder / CONFIG).write_text(yaml.safe_dump(sections, sort_keys=False), encoding="utf-8")
    write_weights(folder / WEIGHTS, copy_weights(network))
    if wide is not None:
        write_weights(folder / WIDE_WEIGHTS, {WIDE: wide})
    vocabulary.to_file(folder / VOCABULARY)
    write_lines(folder / LABELS, labels)
    return Bundle(
        folder=folder, config=config, vocabulary=vocabulary, labels=tuple(labels), manifest={}
    )
