"""The wide part of a trial: fitted before its network, once for all trials that share it."""

import dataclasses
import functools
import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from model.bundle.file_names import WIDE_WEIGHTS
from model.bundle.weights_file import read_weights, write_weights
from model.config import WideConfig
from model.layers.keras_engine import KerasEngine
from model.text.vocabulary import Vocabulary
from model.training.examples import Examples
from model.training.fit import weigh_examples
from model.training.wide_examples import WideBeside, label_documents
from model.training.wide_fitting.fit_wide_part import LabeledDocuments, choose_mix, fit_wide_part
from model.training.wide_fitting.mix import Mix
from model.weights import Weights
from model.wide.wide_part import WIDE, WidePart
from pipeline.storage.files import Files, join
from pipeline.storage.folders import copy_file
from pipeline.training.trial import Trial

logger = logging.getLogger("limelight")


def fit_trial_wide_part(
    trial: Trial, examples: Mapping[str, Examples], *, vocabulary: Vocabulary, files: Files
) -> Weights | None:
    """The weights of the wide part, or None if the config has none.

    They do not depend on the seed. The first trial that needs them writes them to the workspace,
    where the others, and the same trial after it was killed, find them.
    """
    config = trial.config.network.wide
    if config is None:
        return None
    with tempfile.TemporaryDirectory(prefix="limelight-wide-") as scratch:
        local = Path(scratch) / WIDE_WEIGHTS
        shared = join(trial.wide_folder, WIDE_WEIGHTS)
        if files.exists(shared):
            with files.open(shared) as stream:
                local.write_bytes(stream.read())
            return read_weights(local)[WIDE]
        weights = _fit(trial, config, examples, vocabulary=vocabulary)
        write_weights(local, {WIDE: weights})
        copy_file(files, local, to=f"{shared}.new")
        files.move([(f"{shared}.new", shared)])
        return weights


def _fit(
    trial: Trial, config: WideConfig, examples: Mapping[str, Examples], *, vocabulary: Vocabulary
) -> Weights:
    label = _labeling(trial)
    train = weigh_examples(examples["train"], trial.config.training)
    validation = examples.get("validation")
    return fit_wide_part(
        label(train),
        None if validation is None else label(validation),
        vocabulary,
        config=config,
        exclusive=trial.config.network.head != "multilabel",
    )


def mix_wide_part(
    trial: Trial,
    weights: Weights,
    engine: KerasEngine,
    validation: Examples | None,
    *,
    vocabulary: Vocabulary,
) -> tuple[WideBeside, Mix | None]:
    """The wide part beside the trained network, each counting as much as is best on validation.

    Without validation documents both count by `DEFAULT_MIX`, and there is no `Mix`.
    """
    head, cut = trial.config.network.head, trial.config.text.cut
    beside = WideBeside(part=WidePart(weights, vocabulary, head=head), cut=cut)
    if validation is None:
        return beside, None
    probabilities, _ = engine.run(validation.ids, validation.row_offsets)
    mix = choose_mix(
        probabilities,
        beside.logits(validation),
        _labeling(trial)(validation),
        exclusive=head != "multilabel",
    )
    logger.info("wide part: %s", mix)
    mixed = {**weights, "mix": np.array([mix.network, mix.wide], np.float32)}
    return dataclasses.replace(beside, part=WidePart(mixed, vocabulary, head=head)), mix


def _labeling(trial: Trial) -> Callable[[Examples], LabeledDocuments]:
    """Turns the examples of a split into whole documents with their targets."""
    return functools.partial(
        label_documents,
        labels=len(trial.dataset.labels),
        cut=trial.config.text.cut,
        soft_labels=trial.config.training.soft_labels,
    )
