"""The wide part of a trial: fitted before its network, once for all trials that share it."""

import dataclasses
import functools
import logging
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
from model.training.samples import spread_rows, take_examples
from model.training.wide_examples import WideBeside, label_documents
from model.training.wide_fitting.fit_wide_part import LabeledDocuments, choose_mix, fit_wide_part
from model.training.wide_fitting.mix import Mix
from model.weights import Weights, check_weights
from model.wide.wide_part import WIDE, WidePart, wide_shapes
from pipeline.storage.files import Files, join
from pipeline.storage.folders import copy_file
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.training.trial import Trial

logger = logging.getLogger("limelight")

# The wide part is fitted to documents of at most so many tokens together, chosen evenly: the
# matrices of more would not fit in the memory of a worker. The 6 million tokens of IMDB's training
# reviews took 0.5 GB, and 9 s of one core for one value of C.
MAX_TOKENS = 20_000_000


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
    with scratch_folder("wide") as scratch:
        local = Path(scratch) / WIDE_WEIGHTS
        shared = join(trial.wide_folder, WIDE_WEIGHTS)
        if files.exists(shared):
            with files.open(shared) as stream:
                local.write_bytes(stream.read())
            try:
                return _read(trial, config, local, vocabulary=vocabulary)
            except ValueError as error:
                logger.warning("%s is damaged and is made again (%s)", shared, error)
        weights = _fit(trial, config, examples, vocabulary=vocabulary)
        write_weights(local, {WIDE: weights})
        copy_file(files, local, to=f"{shared}.new")
        files.move([(f"{shared}.new", shared)])
        return weights


def _read(trial: Trial, config: WideConfig, path: Path, *, vocabulary: Vocabulary) -> Weights:
    """Reads the weights of another trial.

    Raises:
        ValueError: if they are not those of a wide part of this config.
    """
    labels, head = len(trial.dataset.labels), trial.config.network.head
    shapes = wide_shapes(config, ids=vocabulary.size, labels=labels, head=head)
    weights = read_weights(path)
    check_weights(weights, {WIDE: shapes})
    return weights[WIDE]


def _fit(
    trial: Trial, config: WideConfig, examples: Mapping[str, Examples], *, vocabulary: Vocabulary
) -> Weights:
    label = _labeling(trial)
    train = _limit(weigh_examples(examples["train"], trial.config.training))
    if train.rows < examples["train"].rows:
        logger.info(
            "wide part: fitted to %s of %s documents, which have %s tokens",
            f"{train.rows:,}",
            f"{examples['train'].rows:,}",
            f"{MAX_TOKENS:,}",
        )
    validation = examples.get("validation")
    return fit_wide_part(
        label(train),
        None if validation is None else label(_unweighted(_limit(validation))),
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
    validation = _unweighted(_limit(validation))
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


def _limit(examples: Examples) -> Examples:
    """Documents of about `MAX_TOKENS` tokens together or fewer, at even distances."""
    tokens = len(examples.ids) + len(examples.cut_ids)
    if tokens <= MAX_TOKENS:
        return examples
    counting = np.flatnonzero(examples.weights)
    limit = max(1, len(counting) * MAX_TOKENS // tokens)
    return take_examples(examples, counting[spread_rows(len(counting), limit)])


def _unweighted(examples: Examples) -> Examples:
    """The examples with equal weights, as metrics count them."""
    return dataclasses.replace(examples, weights=np.ones(examples.rows, np.float32))


def _labeling(trial: Trial) -> Callable[[Examples], LabeledDocuments]:
    """Turns the examples of a split into whole documents with their targets."""
    return functools.partial(
        label_documents,
        labels=len(trial.dataset.labels),
        cut=trial.config.text.cut,
        soft_labels=trial.config.training.soft_labels,
    )
