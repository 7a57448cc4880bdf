"""Typed, frozen configuration of a run: YAML in, one-line errors out.

A config is one YAML file. Its `text`, `network` and `training` sections belong
to the model (`model.config`); the others are here. Every key has a default but
the corpus; `configs/quickstart.yaml` spells all of them out.
"""

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from model.config import (
    STRICT,
    ConfigError,
    EngineName,
    LongDocuments,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
    VariantConfig,
    VectorsConfig,
    require,
    require_rate,
    to_plain,
)
from model.config_loading import load_section
from pipeline.config.inputs import InputConfig
from pipeline.schemas import DIGEST, DOCUMENTS, PREDICTIONS

MAX_SHARDS = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColumnsConfig:
    """Which input column plays which part; a column that is absent yields null."""

    __pydantic_config__ = STRICT

    text: str = "text"
    id: str | None = None  # without one, `<file name>#<row>`
    label: str | None = "label"
    labels: str | None = None  # multi-label: a list of strings
    weight: str | None = None
    rationale: str | None = None  # list of {start, end}, or a substring of the text
    split: str | None = None
    group: str | None = None  # documents of one group, such as an author's, share a split
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A kept column stands beside the fixed ones, under its own name.
        taken = {*DOCUMENTS.names, DIGEST.name, *PREDICTIONS.names}
        clash = [name for name in self.keep if name in taken]
        require(not clash, "keep", "columns not named like those Limelight writes", clash)
        distinct = len(set(self.keep)) == len(self.keep)
        require(distinct, "keep", "each column once", self.keep)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitsConfig:
    """Shares of the documents that no file or column has assigned to a split."""

    __pydantic_config__ = STRICT

    validation: float = 0.1  # also taken out of a given training split that comes alone
    test: float = 0.1
    stratify: bool = False  # the same shares of every label

    def __post_init__(self) -> None:
        require_rate(self.validation, "validation")
        require_rate(self.test, "test")
        total = self.validation + self.test
        require(total < 1, "test", "validation + test < 1", total)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """Where the documents come from and how many bad rows are too many."""

    __pydantic_config__ = STRICT

    inputs: tuple[InputConfig, ...] = ()
    columns: ColumnsConfig = ColumnsConfig()
    splits: SplitsConfig = SplitsConfig()
    max_rejected_fraction: float = 0.01
    max_text_bytes: int = 10_000_000
    limit: int | None = None  # rows of each input that are prepared; for a quick run
    shards: int | None = None  # TFRecord files of a split; by size where none is given

    def __post_init__(self) -> None:
        require(
            0 <= self.max_rejected_fraction <= 1,
            "max_rejected_fraction",
            "a number in [0, 1]",
            self.max_rejected_fraction,
        )
        require(self.max_text_bytes >= 1, "max_text_bytes", "an integer >= 1", self.max_text_bytes)
        rows, shards = self.limit, self.shards
        require(rows is None or rows >= 1, "limit", "an integer >= 1 or null", rows)
        # Every worker has a file open for each shard of each split.
        within = shards is None or 1 <= shards <= MAX_SHARDS
        require(within, "shards", f"an integer in [1, {MAX_SHARDS}] or null", shards)
        by_label = self.columns.group is None and self.columns.labels is None
        require(
            by_label or not self.splits.stratify,
            "splits.stratify",
            "false where columns has group or labels: one label a document decides",
            True,
        )
        tables = [item.source for item in self.inputs if item.format == "bigquery"]
        require(len(set(tables)) == len(tables), "inputs", "each table or query once", tables)
        named = not tables or self.columns.id is not None
        expected = "the column of ids: the rows of a table have no order to be named by"
        require(named, "columns.id", expected, self.columns.id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputConfig:
    """What a prediction row carries."""

    __pydantic_config__ = STRICT

    attention: Literal["full", "top_k", "none"] = "full"
    top_k: int = 10  # tokens a document that `top_k` keeps
    attention_type: Literal["float32", "float16"] = "float32"
    partition_by: str | None = None  # a kept column or `label`: a folder for each of its values
    file_mb: int = 512  # a file of this size is closed and another begun
    row_group_mb: int = 32  # in memory

    def __post_init__(self) -> None:
        for name in ("top_k", "file_mb", "row_group_mb"):
            value = getattr(self, name)
            require(value >= 1, name, "an integer >= 1", value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringConfig:
    """How a corpus is scored."""

    __pydantic_config__ = STRICT

    engine: EngineName = "auto"
    threads: int | Literal["auto"] = "auto"  # of a process; see `pipeline.runners.parallelism`
    long_documents: LongDocuments = "truncate"
    further_models: tuple[str, ...] = ()  # scored in the same pass, into columns of their own
    min_score: float = 0.0  # predictions with a lower score are counted and not written
    output: OutputConfig = OutputConfig()

    def __post_init__(self) -> None:
        expected = "folded, keras or auto where scoring.long_documents is windows"
        whole = self.engine != "tensorflow" or self.long_documents == "truncate"
        require(whole, "engine", expected, self.engine)
        valid = self.threads == "auto" or self.threads >= 1
        require(valid, "threads", "auto or an integer >= 1", self.threads)
        require(0 <= self.min_score <= 1, "min_score", "a number in [0, 1]", self.min_score)
        models = self.further_models
        require(len(set(models)) == len(models), "further_models", "each model once", models)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DriftConfig:
    """When a night's corpus is too unlike training's or the last nights', and what then."""

    __pydantic_config__ = STRICT

    on_drift: Literal["warn", "alert", "block"] = "warn"
    max_psi: float = 0.1
    nights: int = 7  # that a night is compared with; 0: with training alone

    def __post_init__(self) -> None:
        require(self.max_psi > 0, "max_psi", "a number > 0", self.max_psi)
        require(self.nights >= 0, "nights", "an integer >= 0", self.nights)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment or deployment."""

    __pydantic_config__ = STRICT

    name: str = "model"
    workspace: str = "runs"
    corpus: CorpusConfig = CorpusConfig()
    text: TextConfig = TextConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    scoring: ScoringConfig = ScoringConfig()
    drift: DriftConfig = DriftConfig()
    vectors: VectorsConfig = VectorsConfig()

    def __post_init__(self) -> None:
        # The name becomes a folder of the workspace.
        valid = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name) is not None
        require(valid, "name", "letters, digits, '.', '_' or '-'", self.name)
        require_folder(self.workspace, "workspace")
        columns = (None, "label", *self.corpus.columns.keep)
        by = self.scoring.output.partition_by
        expected = "null, label or one of corpus.columns.keep"
        require(by in columns, "scoring.output.partition_by", expected, by)


def require_folder(path: str, key: str) -> None:
    """Raises `ValueError` unless a path can be that of a folder Limelight writes to."""
    # Beam's filesystems read these characters as a glob, wherever they stand.
    valid = bool(path) and not set("*?[") & set(path)
    require(valid, key, "a folder's path without '*', '?' or '['", path)


def load_config(path: str, overrides: Sequence[str] = ()) -> Config:
    """Reads a YAML file, applies `KEY=VALUE` overrides, expands `${NAME}`.

    A config without `name` is named after its file.

    Raises:
        ConfigError: in one line, for a file that cannot be read or parsed, an
            unset environment variable, an unknown key, a value out of range.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: expected a readable config file, got {error.strerror}. Check --config."
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: expected UTF-8 text, got other bytes from byte {error.start}. "
            "Save the file as UTF-8."
        ) from None
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path}: expected YAML, got {problem}. Mend the file.") from None
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path}: expected sections such as 'corpus:', got {type(values).__name__}. "
            "See configs/quickstart.yaml."
        )
    return build_config({"name": Path(path).stem, **values}, overrides, where=path)


def build_config(values: dict[str, Any], overrides: Sequence[str], *, where: str) -> Config:
    """A config from plain values, `KEY=VALUE` overrides and the environment.

    Raises:
        ConfigError: as `load_config` does; `where` is what it tells to edit.
    """
    for override in overrides:
        _apply_override(values, override)
    return load_section(Config, _expand(values, where=where), where=where)


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


def config_of_date(config: Config, date: str) -> Config:
    """The config with a date in place of every `{date}` in its inputs."""
    inputs = tuple(item.of_date(date) for item in config.corpus.inputs)
    return dataclasses.replace(config, corpus=dataclasses.replace(config.corpus, inputs=inputs))


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"--set {override}: expected KEY=VALUE such as training.epochs=3, got no '='. "
            "Write the dotted key, '=', and a YAML value."
        )
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(
                f"--set {override}: expected {section} to be a section, got "
                f"{type(values).__name__}. Set the whole key instead."
            )
    try:
        values[name] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {override}: expected a YAML value, got {value!r}.") from None


def _expand(value: Any, *, where: str) -> Any:
    """Replaces `${NAME}` by the environment variable in every string of a tree."""
    if isinstance(value, Mapping):
        return {str(key): _expand(item, where=where) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, where=where) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise ConfigError(
                f"{where}: expected the environment variable {name} to be set for "
                f"{value!r}, got none. Run: export {name}=..."
            )
        return os.environ[name]

    return re.sub(r"\$\{(\w+)\}", variable, value)
