"""Typed, frozen configuration of a run: YAML in, one-line errors out.

A config is one YAML file. Its `text`, `network` and `training` sections belong
to the model (`model.config`); the others are here. Every key has a default but
the corpus; `configs/quickstart.yaml` spells all of them out.
"""

import dataclasses
import re
from typing import Literal

from model.config import (
    STRICT,
    EngineName,
    LongDocuments,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
    VectorsConfig,
    require,
    require_rate,
)
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
