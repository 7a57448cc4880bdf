"""The config and Beam's flags of a command, checked before anything runs."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from model.bundle.errors import BundleError
from model.bundle.file_names import MANIFEST
from model.config import ConfigError, NetworkConfig, TrainingConfig
from model.config_loading import load_section
from pipeline.cli.invocation import Invocation
from pipeline.config.inputs import InputConfig
from pipeline.config.loading import config_of, load_config, read_values, resolve_values
from pipeline.config.sections import ColumnsConfig, Config
from pipeline.corpora.formats.named_inputs import (
    log_training_settings,
    named_inputs,
    read_as_trained,
    trained_corpus,
    trained_inputs,
)
from pipeline.runners.options import check_runner, name_job
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.bundles import open_bundle
from pipeline.storage.files import base_name, join

# What a command that scores does not use: it is the model's, or of preparing a corpus.
MODEL_SECTIONS = ("text", "network", "training", "vectors", "pretraining", "teachers")
PREPARED_KEYS = (["corpus", "splits"], ["corpus", "limit"])
# Of the columns that a model was trained on, those that scoring and evaluation read.
SCORED_COLUMNS = ("id", "text", "label", "labels")


def check_job(
    beam_options: Sequence[str],
    config: Config,
    *,
    paths: Mapping[str, str | None],
    job: Sequence[str],
    training: TrainingConfig | None = None,
) -> list[str]:
    """Refuses a runner, a flag or a path that would fail later, perhaps on a worker.

    Args:
        beam_options: Beam's flags, the runner profile's and those after `--`.
        config: the inputs' paths are checked too.
        paths: where else the command reads and writes, by the option or key that says so.
        job: the parts of the name that a Dataflow job gets if the flags give it none.
        training: of a command that trains.

    Returns:
        The flags, with a name for a Dataflow job.

    Raises:
        ConfigError: in one line.
    """
    inputs = [each.path for each in config.corpus.inputs if each.path]
    checked = _given(paths) | _numbered("corpus.inputs", inputs)
    check_runner(beam_options, paths=checked, training=training)
    return name_job(beam_options, *job)


def workspace_job(
    invocation: Invocation, config: str, *, command: str, trains: bool = False
) -> tuple[Config, list[str]]:
    """The config and Beam's flags of a command that writes into the config's workspace.

    Args:
        invocation: with the runner profile and the values of `--set`.
        config: a YAML config.
        command: the first part of the name of a Dataflow job.
        trains: whether workers also train, and read word vectors and an encoder if the config names
            them.

    Raises:
        ConfigError: for a config that is wrong, or as `check_job` does.
    """
    resolved = load_config(config, invocation.overrides)
    network = resolved.network if trains else NetworkConfig()
    flags = check_job(
        invocation.beam_options,
        resolved,
        paths={
            "workspace": resolved.workspace,
            "network.embedding.vectors": network.embedding.vectors,
            "network.pretrained": network.pretrained,
        },
        job=(command, resolved.name),
        training=resolved.training if trains else None,
    )
    return resolved, flags


def scoring_job(
    invocation: Invocation,
    config: str | None,
    *,
    model: str,
    inputs: Sequence[str],
    paths: Mapping[str, str | None],
    job: Sequence[str],
) -> tuple[Config, list[str]]:
    """The config and Beam's flags of a command that scores with a model.

    The runner is checked before the model is opened, which may lie on another machine.

    Args:
        invocation: with the runner profile and the values of `--set`.
        config: a YAML config; see `scoring_config`.
        model: a model directory.
        inputs: the values of `--input`.
        paths: what else the command line names, by the option.
        job: the command, and what follows the model's name in the name of a Dataflow job.

    Raises:
        BundleError, ConfigError: as `scoring_config` and `check_job` do.
    """
    refuse_unused(invocation.typed)
    named = _given(paths)
    check_runner(invocation.beam_options, paths=named | _numbered("--input", inputs))
    resolved = scoring_config(config, invocation.overrides, model=model, inputs=inputs)
    if "--output" not in named:
        named["workspace"] = resolved.workspace
    parent, _, _ = model.rstrip("/").rpartition("/")
    command, *details = job
    name = f"{base_name(parent)}-{base_name(model)}"
    flags = check_job(invocation.beam_options, resolved, paths=named, job=(command, name, *details))
    return resolved, flags


def refuse_unused(overrides: Sequence[str]) -> None:
    """Refuses values of `--set` that a command which scores does not use.

    Raises:
        ConfigError: for the first one.
    """
    for override in overrides:
        key = override.partition("=")[0]
        names = key.split(".")
        if names[0] in MODEL_SECTIONS:
            raise ConfigError(
                f"--set {override}: expected a key of corpus, scoring or drift, got one of "
                f"{names[0]}, which is the model's own since its training. Leave it out, or train "
                "a model with it."
            )
        if names[:2] in PREPARED_KEYS:
            raise ConfigError(
                f"--set {override}: expected a key that scoring uses, got {key}, which only "
                "prepare and train use. Leave it out."
            )


def scoring_config(
    path: str | None, overrides: Sequence[str], *, model: str, inputs: Sequence[str]
) -> Config:
    """The config of a command that scores with a model.

    The columns are the training's where the config does not name them, and inputs are read as the
    training's inputs of their format were where it does not say how; see `read_as_trained`.

    Args:
        path: a YAML config, if any.
        overrides: `KEY=VALUE` of the config.
        model: a model directory.
        inputs: files to read in place of the config's inputs.

    Raises:
        BundleError: if the model directory must not be used.
        ConfigError: for a config that is wrong, or if nothing says what to read.
    """
    where = path or "a --config file"
    values = resolve_values(read_values(path) if path else {}, overrides, where=where)
    config_of(values, where=where)  # refuses one that is wrong
    corpus, trained = _training_of(model)
    completed = _with_training(values, corpus, trained, replaced=bool(inputs))
    config = config_of(completed, where=where)
    if inputs:
        return with_inputs(config, inputs, trained=trained)
    if not config.corpus.inputs:
        raise ConfigError(
            "--input: expected files to read, got none. Pass --input GLOB or --config FILE."
        )
    return config


def _training_of(model: str) -> tuple[dict[str, Any], list[InputConfig]]:
    """How the corpus of a model was read: the result of `trained_corpus`, and its inputs.

    Raises:
        BundleError: if the model directory must not be used, or its manifest does not say it in
            the way in which a config does.
    """
    corpus = trained_corpus(open_bundle(BeamFiles(), model).manifest)
    columns = {name: value for name, value in corpus["columns"].items() if name in SCORED_COLUMNS}
    where = join(model, MANIFEST)
    try:
        load_section(ColumnsConfig, columns, where=where)
        return corpus, trained_inputs(corpus)
    except ConfigError as error:
        problem = str(error).split(". Edit ")[0]
        raise BundleError(
            f"{where}: config.corpus: {problem}. Copy the model directory again, or train the "
            "model again."
        ) from None


def with_inputs(
    config: Config, paths: Sequence[str], *, trained: Sequence[InputConfig] = ()
) -> Config:
    """The config with the files of `--input` in place of its own; see `named_inputs`.

    Raises:
        ConfigError: if the names of the files do not tell one format.
    """
    named = named_inputs(
        BeamFiles(),
        paths,
        config=config.corpus.inputs,
        trained=trained,
        text_column=config.corpus.columns.text,
    )
    return dataclasses.replace(config, corpus=dataclasses.replace(config.corpus, inputs=named))


def _with_training(
    values: dict[str, Any],
    trained: Mapping[str, Any],
    inputs: Sequence[InputConfig],
    *,
    replaced: bool,
) -> dict[str, Any]:
    """The values of a config, completed by how the corpus of a model was read.

    Inputs that `--input` has replaced stay: they say how such files are read.
    """
    corpus = values.get("corpus") or {}
    columns = {
        name: trained["columns"][name] for name in SCORED_COLUMNS if name in trained["columns"]
    }
    columns |= corpus.get("columns") or {}
    corpus = {**corpus, "columns": columns}
    if given := corpus.get("inputs"):
        corpus["inputs"] = [read_as_trained(each, inputs) for each in given]
        if not replaced:
            for read, said in zip(corpus["inputs"], given, strict=True):
                log_training_settings(read, said)
    return {**values, "corpus": corpus}


def _numbered(where: str, paths: Sequence[str]) -> dict[str, str]:
    """The paths by the option or key that names them, counted from 1 if there are several."""
    if len(paths) == 1:
        return {where: paths[0]}
    return {f"{where} {number}": path for number, path in enumerate(paths, 1)}


def _given(paths: Mapping[str, str | None]) -> dict[str, str]:
    return {option: path for option, path in paths.items() if path}
