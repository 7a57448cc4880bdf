"""pretrain: a corpus -> a language model -> an encoder, from which `network.pretrained` starts.

A runner may prepare the corpus. The language model is trained on this machine.
"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.bundle.file_names import HISTORY
from model.bundle.manifest import describe_files
from model.config import ConfigError, to_plain
from model.text.vocabulary import Vocabulary
from model.training.history import History
from model.training.unlabeled import join_unlabeled
from pipeline.config.inputs import TRAINED, UNLABELED
from pipeline.config.sections import Config
from pipeline.corpora.preparing.dataset import Dataset
from pipeline.process import progress
from pipeline.stages.prepare import prepare
from pipeline.stages.vocabulary import check_vector_files, digest_vectors
from pipeline.storage.files import Files, join, read_lines
from pipeline.storage.folders import upload_folder
from pipeline.storage.manifest import MANIFEST, Manifest, fingerprint, new_run_id
from pipeline.storage.scratch_folders import scratch_folder
from pipeline.training.checkpoints import load_checkpoint, save_checkpoint
from pipeline.training.examples_of_dataset import read_splits
from pipeline.training.trial_config import resolve_config
from pipeline.training.trial_vectors import read_vectors

logger = logging.getLogger("limelight")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pretrained:
    """An encoder that was written.

    Attributes:
        dataset: what it was trained on.
        history: a row for each epoch: `epoch`, `sampled_loss` and `seconds`; with a validation
            split also `validation_loss` and `validation_perplexity`.
        best_epoch: the epoch that was kept.
    """

    dataset: Dataset
    history: Sequence[Mapping[str, float]]
    best_epoch: int


def pretrain(
    config: Config, *, output: str, beam_options: Sequence[str], files: Files
) -> Pretrained:
    """Trains a language model on the splits train and unlabeled and writes its encoder.

    Its weights are those of the embedding and of the first LSTM of the config's network. The key
    `network.pretrained` is not read. A run that was killed resumes from its last epoch.

    Args:
        config: its sections corpus, text, network and pretraining; of training `gpu`,
            `deterministic`, and whether it normalizes the word vectors.
        output: the folder to write.
        beam_options: Beam's own flags, for preparing the corpus.
        files: where everything lies.

    Raises:
        ConfigError: as `prepare` does; also for a network without an LSTM, word vectors that do not
            fit, or a training that diverges.
        RunError: as `prepare` does.
    """
    from model.training.devices import prepare_process

    if config.network.lstm.layers == 0:
        raise ConfigError(
            "network.lstm.layers: expected 1 or more, got 0: there is no LSTM to pretrain. Pass "
            "--set network.lstm.layers=1."
        )
    vectors_digest = digest_vectors(config, files=files)
    check_vector_files([config], files=files)
    prepare_process(config.training)  # before `prepare`, which starts TensorFlow
    dataset = prepare(config, beam_options=beam_options, files=files)
    resolved = to_plain(resolve_config(config, dataset, documents=dataset.rows("train")))
    run = Manifest(run_id=new_run_id("pretrain"), stage="pretrain", config=resolved)
    checkpoints = _checkpoints(run, dataset, vectors_digest, normalized=config.training.perturbs)
    with scratch_folder("pretrain") as scratch:
        encoder = Path(scratch) / "encoder"
        history, best = _train(config, run, dataset, encoder, checkpoints=checkpoints, files=files)
        described = describe_files(encoder)
        files.delete([join(output, MANIFEST)])  # an earlier encoder is not whole any more
        upload_folder(files, str(encoder), to=output)
    run.inputs, run.rows = dataset.manifest["inputs"], dataset.manifest["rows"]
    run.outputs = [
        {"file": file, "bytes": item["bytes"], "rows": None, "sha256": item["sha256"]}
        for file, item in described.items()
    ]
    run.extra = {"files": described, "dataset": dataset.files.folder, "best_epoch": best}
    run.finish("done")
    run.write(files, output)
    files.delete([checkpoints])
    return Pretrained(dataset=dataset, history=history, best_epoch=best)


def _checkpoints(
    run: Manifest, dataset: Dataset, vectors_digest: str | None, *, normalized: bool
) -> str:
    """The folder of the last epoch's checkpoint; deleted once the encoder is written."""
    config = run.config
    key = fingerprint(
        dataset.files.folder,
        vectors_digest,
        config["network"]["embedding"],
        config["network"]["lstm"],
        config["pretraining"],
        config["training"]["deterministic"],
        normalized,
    )
    return join(config["workspace"], "checkpoints", key)


def _train(
    config: Config,
    run: Manifest,
    dataset: Dataset,
    encoder: Path,
    *,
    checkpoints: str,
    files: Files,
) -> tuple[History, int]:
    """Trains the language model; returns the history and the best epoch.

    The encoder is written to a folder on this machine's disk. The folder above it is for files that
    only the training needs.
    """
    from model.training.devices import choose_devices
    from model.training.fit import Hooks
    from model.training.history import write_history
    from model.training.pretraining.encoder import write_encoder
    from model.training.pretraining.fit_language_model import LanguageData, fit_language_model

    settings = config.pretraining
    tokens = read_lines(files, dataset.files.vocabulary)
    vocabulary = Vocabulary(tokens, oov_buckets=dataset.text.oov_buckets)
    splits = (*TRAINED, "validation")
    examples = read_splits(dataset, splits, vocabulary, files=files, scratch=encoder.parent)
    train = examples["train"]
    if UNLABELED in examples:
        train = join_unlabeled(train, examples[UNLABELED])
    embedding = config.network.embedding
    vectors = read_vectors(embedding, vocabulary, seed=settings.seed, files=files)
    local = encoder.parent / "checkpoints"
    load_checkpoint(files, checkpoints, to=local)
    devices = choose_devices(config.training)
    logger.info(
        "pretraining on %s, %d epochs of %s documents",
        devices.description,
        settings.epochs,
        f"{train.rows:,}",
    )

    def keep_epoch(folder: Path, history: History) -> None:
        save_checkpoint(files, folder, to=checkpoints)
        logger.info("%s", describe_epoch(history[-1]))

    with progress.shown("pretrain", total=settings.epochs * train.rows):
        fitted = fit_language_model(
            LanguageData(train=train, validation=examples.get("validation"), vocabulary=vocabulary),
            network=config.network,
            config=settings.as_training(config.training),
            negative_samples=settings.negative_samples,
            embedding_matrix=None if vectors is None else vectors.matrix,
            devices=devices,
            checkpoints=local,
            hooks=Hooks(on_batch=progress.advance, on_epoch=keep_epoch),
        )
    write_encoder(encoder, fitted.network, vocabulary=vocabulary, config=run.config)
    write_history(encoder / HISTORY, fitted.history)
    return fitted.history, fitted.best_epoch


def describe_epoch(row: Mapping[str, Any]) -> str:
    """A row of the history in words."""
    text = f"epoch {row['epoch']:.0f}: loss {row['sampled_loss']:.3f} among the samples"
    if "validation_perplexity" in row:
        text += f", perplexity {row['validation_perplexity']:,.1f} on validation"
    return text
