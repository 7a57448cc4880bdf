"""Typed, frozen configuration of the model: text, network, training.

These sections travel inside every model bundle, so they live beside the code
that obeys them. Range checks name the key, what was expected and what came;
`load_section` turns a plain mapping into a section and every failure into one
`ConfigError`.
"""

import dataclasses
import difflib
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_type_hints

import pydantic

# Every section refuses keys it does not know: a misspelled key that silently
# trains with the default costs its user a night.
STRICT: pydantic.ConfigDict = {"extra": "forbid", "allow_inf_nan": False}

AttentionKind = Literal[
    "zhou",
    "dense",
    "positional",
    "context",
    "luong",
    "bahdanau",
    "multihead",
    "none",
    "max",
    "mean",
    "last",
]
CONTROLS = ("none", "max", "mean", "last")  # the kinds without attention
EngineName = Literal["auto", "keras", "tensorflow", "folded"]
LongDocuments = Literal["truncate", "windows"]
Head = Literal["softmax", "sigmoid", "multilabel"]

# What the config itself is called among its variants.
BASE_VARIANT = "base"

SectionT = TypeVar("SectionT")


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is one line for a person."""


def require(condition: bool, key: str, expected: str, got: object) -> None:
    """Raises `ValueError` naming the key, what was expected and what came."""
    if not condition:
        raise ValueError(f"{key}: expected {expected}, got {got!r}")


def require_rate(value: float, key: str) -> None:
    """Raises `ValueError` unless `0 <= value < 1`."""
    require(0 <= value < 1, key, "a number in [0, 1)", value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How text becomes ids: tokens, vocabulary, cutting and padding."""

    __pydantic_config__ = STRICT

    max_tokens: int = 200
    vocabulary_size: int = 10_000  # tokens kept, most frequent first
    min_frequency: int = 1
    oov_buckets: int = 1
    reserved_tokens: tuple[str, ...] = ()
    lowercase: bool = True
    nfkc: bool = False
    fold_digits: bool = False
    drop_html: bool = False
    protected: tuple[str, ...] = ()  # RE2 patterns kept whole as one token
    cut: Literal["head", "tail", "head+tail"] = "head"

    def __post_init__(self) -> None:
        require(self.max_tokens >= 1, "max_tokens", "an integer >= 1", self.max_tokens)
        require(
            self.vocabulary_size >= 1, "vocabulary_size", "an integer >= 1", self.vocabulary_size
        )
        require(self.min_frequency >= 1, "min_frequency", "an integer >= 1", self.min_frequency)
        require(self.oov_buckets >= 1, "oov_buckets", "an integer >= 1", self.oov_buckets)
        # A reserved token becomes a line of the vocabulary file.
        lines = all(token and not {"\n", "\r"} & set(token) for token in self.reserved_tokens)
        require(lines, "reserved_tokens", "tokens without line breaks", self.reserved_tokens)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """The embedding table: random or read from a vector file."""

    __pydantic_config__ = STRICT

    units: int = 128
    trainable: bool = True
    vectors: str | None = None  # a GloVe or word2vec text file, local or gs://
    dropout: float = 0.0  # of single numbers
    spatial_dropout: float = 0.0  # of whole columns: a unit is 0 at every step
    initial_range: float = 0.05  # where a token has no vector: uniform in +- this, Keras's default

    def __post_init__(self) -> None:
        require(self.units >= 1, "units", "an integer >= 1", self.units)
        require(self.initial_range > 0, "initial_range", "a number > 0", self.initial_range)
        require_rate(self.dropout, "dropout")
        require_rate(self.spatial_dropout, "spatial_dropout")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LSTMConfig:
    """The recurrent layers; `units` is the width of one direction."""

    __pydantic_config__ = STRICT

    units: int = 64
    layers: int = 1
    bidirectional: bool = True
    merge: Literal["concat", "sum"] = "concat"
    dropout: float = 0.0  # on the output of every recurrent layer
    recurrent_dropout: float = 0.0

    def __post_init__(self) -> None:
        require(self.units >= 1, "units", "an integer >= 1", self.units)
        require(self.layers >= 1, "layers", "an integer >= 1", self.layers)
        require_rate(self.dropout, "dropout")
        require_rate(self.recurrent_dropout, "recurrent_dropout")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttentionConfig:
    """How states become one vector; equations and sources: `model.layers.attention`."""

    __pydantic_config__ = STRICT

    kind: AttentionKind = "zhou"
    return_sequences: bool = False
    units: int = 128  # width of the projection: context, luong, bahdanau, multihead
    heads: int = 4  # multihead only

    def __post_init__(self) -> None:
        require(self.units >= 1, "units", "an integer >= 1", self.units)
        require(self.heads >= 1, "heads", "an integer >= 1", self.heads)
        weighs = self.kind not in CONTROLS or not self.return_sequences
        expected = f"false for the kind {self.kind!r}, which weighs no states"
        require(weighs, "return_sequences", expected, self.return_sequences)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Embedding -> Bi-LSTM -> attention -> dropout -> head."""

    __pydantic_config__ = STRICT

    embedding: EmbeddingConfig = EmbeddingConfig()
    lstm: LSTMConfig = LSTMConfig()
    attention: AttentionConfig = AttentionConfig()
    dropout: float = 0.5
    head: Head = "softmax"
    l2: float = 0.0

    def __post_init__(self) -> None:
        require_rate(self.dropout, "dropout")
        require(self.l2 >= 0, "l2", "a number >= 0", self.l2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariantConfig:
    """A variation that is trained beside the config itself, with every seed."""

    __pydantic_config__ = STRICT

    name: str
    overrides: tuple[str, ...]  # KEY=VALUE, of the sections network and training

    def __post_init__(self) -> None:
        # The name becomes a part of a folder's name.
        valid = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name) is not None
        require(valid, "name", "letters, digits, '.', '_' or '-'", self.name)
        require(len(self.overrides) >= 1, "overrides", "at least one KEY=VALUE", self.overrides)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResourcesConfig:
    """What the worker of a training needs; a runner that can, provides it (Dataflow does)."""

    __pydantic_config__ = STRICT

    accelerator: str | None = None  # "type:nvidia-tesla-t4;count:1;install-nvidia-driver"
    min_ram: str | None = None  # "30GB"
    cpu_count: int | None = None

    def __post_init__(self) -> None:
        named = self.accelerator is None or self.accelerator.startswith("type:")
        require(named, "accelerator", "type:NAME;count:N[;install-nvidia-driver]", self.accelerator)
        cores = self.cpu_count
        require(cores is None or cores >= 1, "cpu_count", "an integer >= 1 or null", cores)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the network is fitted; the same values train on a laptop and on a GPU worker."""

    __pydantic_config__ = STRICT

    optimizer: Literal["adam", "adadelta", "sgd", "rmsprop"] = "adam"
    learning_rate: float = 0.001
    batch_size: int = 64
    epochs: int = 12
    seeds: tuple[int, ...] = (1,)
    # On validation; picks the epoch. semeval_f1 is for the labels of SemEval-2010 Task 8.
    monitor: Literal["accuracy", "macro_f1", "loss", "semeval_f1"] = "accuracy"
    patience: int | None = None  # epochs without a better one before stopping; null: never
    schedule: Literal["constant", "cosine"] = "constant"  # of the learning rate, over all epochs
    average_epochs: int = 1  # weights are averaged over about so many epochs; 1: as they are
    gradient_clip: float | None = None  # the largest norm of all gradients together; null: none
    class_weights: Literal["none", "balanced"] = "none"  # balanced: every label counts the same
    label_smoothing: float = 0.0
    variants: tuple[VariantConfig, ...] = ()  # such as pooling without attention, to compare
    gpu: Literal["required", "optional", "never"] = "optional"
    mixed_precision: bool = False  # on GPUs
    resources: ResourcesConfig = ResourcesConfig()

    def __post_init__(self) -> None:
        require(self.learning_rate > 0, "learning_rate", "a number > 0", self.learning_rate)
        require(self.batch_size >= 1, "batch_size", "an integer >= 1", self.batch_size)
        require(self.epochs >= 1, "epochs", "an integer >= 1", self.epochs)
        averaged = self.average_epochs
        require(averaged >= 1, "average_epochs", "an integer >= 1", averaged)
        require(len(self.seeds) >= 1, "seeds", "at least one seed", self.seeds)
        distinct = len(set(self.seeds)) == len(self.seeds)
        require(distinct, "seeds", "seeds that differ", self.seeds)
        valid = all(0 <= seed < 2**32 for seed in self.seeds)
        require(valid, "seeds", "integers in [0, 2**32)", self.seeds)
        require_rate(self.label_smoothing, "label_smoothing")
        names = [BASE_VARIANT, *(variant.name for variant in self.variants)]
        require(len(set(names)) == len(names), "variants", "names that differ", names)
        clip = self.gradient_clip
        require(clip is None or clip > 0, "gradient_clip", "a number > 0 or null", clip)
        require(
            self.patience is None or self.patience >= 1,
            "patience",
            "an integer >= 1 or null",
            self.patience,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class VectorsConfig:
    """How word vectors are learned from unlabeled text (skip-gram)."""

    __pydantic_config__ = STRICT

    units: int = 100
    epochs: int = 3
    window: int = 5  # tokens to either side
    min_frequency: int = 5
    negative_samples: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("units", "epochs", "window", "min_frequency", "negative_samples"):
            value = getattr(self, name)
            require(value >= 1, name, "an integer >= 1", value)


def load_section(cls: type[SectionT], values: Mapping[str, Any], *, where: str) -> SectionT:
    """Builds the section `cls` from a plain mapping.

    Args:
        cls: a section class of this module or one composed of them.
        values: the mapping as read from YAML or JSON.
        where: what the values were read from, for the message.

    Raises:
        ConfigError: one line: the dotted key, what was expected, what came,
            where to mend it. All problems are named, joined by "; ".
    """
    adapter = pydantic.TypeAdapter(cls)
    try:
        # Strict JSON mode takes nested mappings and lists for tuples, yet no "1" for 1.
        # `default=str`: YAML makes a date of 2026-11-20, which is as good a name as any.
        return adapter.validate_json(json.dumps(values, default=str), strict=True)
    except pydantic.ValidationError as error:
        problems = [_describe(cls, problem) for problem in error.errors()]
        raise ConfigError(f"{'; '.join(problems)}. Edit {where} or pass --set KEY=VALUE.") from None


def to_plain(section: Any) -> dict[str, Any]:
    """A section as YAML and JSON hold it: mappings, lists, numbers, strings."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(section)))
    return plain


def _describe(cls: type, problem: Mapping[str, Any]) -> str:
    """One pydantic problem as `key: expected ..., got ...`."""
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path) or "config"
    if problem["type"] == "unexpected_keyword_argument":
        return f"{key}: unknown key{_nearest(cls, path)}"
    if problem["type"] in ("missing", "missing_argument"):
        return f"{key}: expected a value, got none"
    if problem["type"] == "value_error":
        # Raised by __post_init__, which knows the field but not the section above it.
        return f"{key}.{problem['ctx']['error']}" if path else str(problem["ctx"]["error"])
    expected = str(problem["msg"]).removeprefix("Input should be ")
    hint = ""
    if problem["type"] == "float_type" and _is_number(problem["input"]):
        hint = f", which YAML takes for text (write {float(problem['input']):f})"
    return f"{key}: expected {expected}, got {json.dumps(problem['input'])}{hint}"


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def _nearest(cls: type, path: list[str]) -> str:
    """A hint naming the valid key closest to the last part of `path`."""
    section: Any = cls
    for part in path[:-1]:
        if dataclasses.is_dataclass(section):
            section = get_type_hints(section).get(part)
        elif part.isdigit() and hasattr(section, "__args__"):  # an item of tuple[Item, ...]
            section = section.__args__[0]
    if not dataclasses.is_dataclass(section):
        return ""
    names = [field.name for field in dataclasses.fields(section)]
    close = difflib.get_close_matches(path[-1], names, n=1)
    if close:
        return f" (did you mean {'.'.join([*path[:-1], close[0]])}?)"
    return f", expected one of {', '.join(names)}"
