"""The typed, frozen sections of a run's configuration.

A config is one YAML file, read by `pipeline.config.loading`. Its sections `text`, `network`,
`training` and `vectors` are those of `model.config`, `pretraining` that of
`model.training.pretraining`; the others are here. Every key has a
default, but a run needs `corpus.inputs`; `configs/quickstart.yaml` lists all keys.
"""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field

from model.config import (
    STRICT,
    EngineName,
    FolderName,
    LongDocuments,
    NetworkConfig,
    NonNegativeInteger,
    PositiveInteger,
    PositiveNumber,
    Rate,
    TextConfig,
    TrainingConfig,
    VectorsConfig,
    require,
)
from model.training.pretraining.pretraining_config import PretrainingConfig
from pipeline.config.inputs import InputConfig
from pipeline.schemas import CONTRIBUTIONS, DIGEST, DOCUMENTS, PREDICTIONS

# Every worker has a file open for each shard of each split.
MAX_SHARDS = 256
# Real files of text are smaller when decompressed: a dump of the English Wikipedia has 0.1 TB.
MAX_DECOMPRESSED_BYTES = 200_000_000_000

Fraction = Annotated[float, Field(ge=0, le=1)]
Shards = Annotated[int, Field(ge=1, le=MAX_SHARDS)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColumnsConfig:
    """Which input column holds which field; the field of an absent column is null."""

    __pydantic_config__ = STRICT

    text: str = "text"
    id: str | None = None  # null: ids are `<file>#<row>`
    label: str | None = "label"
    labels: str | None = None  # multi-label: a list of strings
    # A teacher's probabilities: a number for each label, by its name or in the order of the labels.
    probabilities: str | None = None
    weight: str | None = None
    rationale: str | None = None  # list of {start, end}, or a substring of the text
    split: str | None = None
    group: str | None = None  # documents of one group, such as one author, get the same split
    keep: tuple[str, ...] = ()  # `text` and `label` are written as `input_text`, `input_label`

    def __post_init__(self) -> None:
        # DuckDB, BigQuery and others take `Label` for `label`, and `dt` is the partition's column.
        fixed = {*DOCUMENTS.names, DIGEST.name, *PREDICTIONS.names, *CONTRIBUTIONS.names, "dt"}
        clash = [name for name in self.keep if self.written_name(name).casefold() in fixed]
        expected = "no column that Limelight itself writes, in capitals or not, and not dt"
        require(not clash, "keep", expected, clash)
        written = {self.written_name(name).casefold() for name in self.keep}
        expected = "each column once, whether in capitals or not"
        require(len(written) == len(self.keep), "keep", expected, self.keep)

    @staticmethod
    def written_name(name: str) -> str:
        """The name that a kept column has in predictions: that of the input, unless it is ours."""
        return f"input_{name}" if name in ("text", "label") else name

    @property
    def kept_names(self) -> tuple[str, ...]:
        """The names that the kept columns have in predictions."""
        return tuple(map(self.written_name, self.keep))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitsConfig:
    """The shares of validation and test among documents whose split no input or column gives."""

    __pydantic_config__ = STRICT

    validation: Rate = 0.1  # also taken from the given training split if no other is given
    test: Rate = 0.1
    stratify: bool = False  # divide the documents of every label in the same proportions

    def __post_init__(self) -> None:
        total = self.validation + self.test
        require(total < 1, "test", "validation + test < 1", total)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """Where the documents come from, and how many bad rows and files make the run fail."""

    __pydantic_config__ = STRICT

    inputs: tuple[InputConfig, ...] = ()
    columns: ColumnsConfig = ColumnsConfig()
    splits: SplitsConfig = SplitsConfig()
    max_rejected_fraction: Fraction = 0.01
    max_broken_files: NonNegativeInteger = 0  # files that cannot be read to their end
    max_text_bytes: PositiveInteger = 10_000_000
    # What a file that is compressed, or Parquet, may unfold to; the rest of it is not read.
    max_decompressed_bytes: PositiveInteger = MAX_DECOMPRESSED_BYTES
    limit: PositiveInteger | None = None  # rows to read of each input, for a quick run
    shards: Shards | None = None  # TFRecord files per split; null: chosen by size

    def __post_init__(self) -> None:
        by_label = self.columns.group is None and self.columns.labels is None
        require(
            by_label or not self.splits.stratify,
            "splits.stratify",
            "false where columns has group or labels: it needs one label for each document",
            True,
        )
        tables = [item.source for item in self.inputs if item.format == "bigquery"]
        require(len(set(tables)) == len(tables), "inputs", "each table or query once", tables)
        named = not tables or self.columns.id is not None
        expected = "the column of ids, because the rows of a table have no fixed order"
        require(named, "columns.id", expected, self.columns.id)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputConfig:
    """Which values a prediction row holds, and how large the files of predictions are."""

    __pydantic_config__ = STRICT

    attention: Literal["full", "top_k", "none"] = "full"
    top_k: PositiveInteger = 10  # with `attention: top_k`, how many tokens of a document are kept
    attention_type: Literal["float32", "float16"] = "float32"
    partition_by: str | None = None  # a kept column or `label`: one folder for each value
    file_mb: PositiveInteger = 512  # a file of this size is closed and the next one is begun
    row_group_mb: PositiveInteger = 32  # size in memory of the rows of one row group


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringConfig:
    """How a corpus is scored."""

    __pydantic_config__ = STRICT

    engine: EngineName = "auto"
    threads: PositiveInteger | Literal["auto"] = "auto"  # in each process
    long_documents: LongDocuments = "truncate"
    further_models: tuple[str, ...] = ()  # also score the documents; each writes its own columns
    min_score: Fraction = 0.0  # predictions with a lower score are counted but not written
    # A document with a larger share of unknown tokens is not answered; null: every one is.
    max_unknown: Fraction | None = None
    output: OutputConfig = OutputConfig()

    def __post_init__(self) -> None:
        expected = "folded, keras or auto where scoring.long_documents is windows"
        whole = self.engine != "tensorflow" or self.long_documents == "truncate"
        require(whole, "engine", expected, self.engine)
        models = self.further_models
        require(len(set(models)) == len(models), "further_models", "each model once", models)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DriftConfig:
    """How far a date's corpus may differ from earlier ones, and what happens if it does."""

    __pydantic_config__ = STRICT

    on_drift: Literal["warn", "alert", "block"] = "warn"
    max_psi: PositiveNumber = 0.1  # population stability index
    nights: NonNegativeInteger = 7  # earlier dates to compare with; 0: compare with training only


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeachersConfig:
    """Trained models whose mean prediction is learned beside the labels, and without them."""

    __pydantic_config__ = STRICT

    models: tuple[str, ...] = ()  # model directories, or of self-train the first teachers
    # Unlabeled documents are learned where the mean probability of the most likely label is at
    # least this.
    min_score: Fraction = 0.0
    rounds: PositiveInteger = 3  # of self-train, at most: in each one the students become teachers


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment or deployment."""

    __pydantic_config__ = STRICT

    name: FolderName = "model"  # a folder of the workspace
    workspace: str = "runs"
    corpus: CorpusConfig = CorpusConfig()
    text: TextConfig = TextConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    scoring: ScoringConfig = ScoringConfig()
    drift: DriftConfig = DriftConfig()
    vectors: VectorsConfig = VectorsConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    teachers: TeachersConfig = TeachersConfig()

    def __post_init__(self) -> None:
        require_folder(self.workspace, "workspace")
        columns = (None, "label", *self.corpus.columns.kept_names)
        by = self.scoring.output.partition_by
        expected = "null, label or a kept column (corpus.columns.keep)"
        require(by in columns, "scoring.output.partition_by", expected, by)
        more = self.text.vector_tokens
        named = self.network.embedding.vectors is not None
        require(
            named or not more, "text.vector_tokens", "0 without network.embedding.vectors", more
        )


def require_folder(path: str, key: str) -> None:
    """Checks the path of a folder that Limelight writes to; `key` is its name in messages.

    Raises:
        ValueError: if the path is empty or has a character of a glob.
    """
    # Beam's filesystems take a path with one of these characters, at any place, for a glob.
    valid = bool(path) and not set("*?[") & set(path)
    require(valid, key, "a folder's path without '*', '?' or '['", path)
