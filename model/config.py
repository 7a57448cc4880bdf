"""Typed, frozen configuration of the model: text, network, training.

Every model bundle carries these sections, so they live beside the code that reads them. The
annotations of the fields give the range of each value; `model.config_loading` checks them when
a section is read from YAML or JSON. `__post_init__` checks only what an annotation cannot say:
rules over two fields, and that the items of a list differ.
"""

import dataclasses
import json
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

# Every section refuses keys it does not know. Otherwise a misspelled key would be ignored, and
# a whole training would run with the default value.
STRICT: pydantic.ConfigDict = {"extra": "forbid", "allow_inf_nan": False}

AttentionKind = Literal[
    "zhou", "dense", "positional", "context", "luong", "bahdanau", "multihead",
    "none", "max", "mean", "last",
]  # fmt: skip
CONTROLS = ("none", "max", "mean", "last")  # pooling without attention, to compare with
EngineName = Literal["auto", "keras", "tensorflow", "folded"]
LongDocuments = Literal["truncate", "windows"]
Head = Literal["softmax", "sigmoid", "multilabel"]
# What the layers of a network compute in, under Keras's names of dtype policies.
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
MonitoredMetric = Literal["loss", "accuracy", "macro_f1", "semeval_f1"]

# The ranges of values. Where the limits alone would not be clear, `description` is what an error
# message says was expected.
PositiveInteger = Annotated[int, Field(ge=1)]
NonNegativeInteger = Annotated[int, Field(ge=0)]
PositiveNumber = Annotated[float, Field(gt=0)]
NonNegativeNumber = Annotated[float, Field(ge=0)]
# Upper limits far above what is useful: models come from elsewhere, too, and memory and time grow.
Units = Annotated[int, Field(ge=1, le=8_192)]
Layers = Annotated[int, Field(ge=0, le=16)]
Heads = Annotated[int, Field(ge=1, le=256)]
Tokens = Annotated[int, Field(ge=1, le=100_000)]
Buckets = Annotated[int, Field(ge=1, le=1_000_000)]
Bits = Annotated[int, Field(ge=8, le=24)]  # of the number of a hashed feature
Rate = Annotated[float, Field(ge=0, lt=1)]
HalfPrecision = Annotated[
    bool | Literal["float16", "bfloat16"],
    Field(description="false, true, float16 or bfloat16"),
]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="an integer in [0, 2**32)")]
# A name that becomes a folder, or a part of a folder's name.
FolderName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="letters, digits, '.', '_' or '-', the first a letter or digit",
    ),
]
# A reserved token becomes a line of the vocabulary file.
ReservedToken = Annotated[
    str, Field(pattern=r"^[^\r\n]+$", description="a token without line breaks")
]
Accelerator = Annotated[
    str, Field(pattern="^type:", description="type:NAME;count:N[;install-nvidia-driver]")
]

# The name of the unchanged config among its variants.
BASE_VARIANT = "base"


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is one line, shown to the user."""


def require(condition: bool, key: str, expected: str, got: object) -> None:
    """Checks a rule that no annotation can state.

    Raises:
        ValueError: naming the key, what was expected and what came.
    """
    if not condition:
        raise ValueError(f"{key}: expected {expected}, got {got!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How text becomes ids: tokens, vocabulary, cutting and padding."""

    __pydantic_config__ = STRICT

    # How many tokens of a document the network reads. auto: prepare chooses a number that few
    # documents of the training split exceed.
    max_tokens: Tokens | Literal["auto"] = "auto"
    # Tokens kept, most frequent first. Adam writes the whole table at every step, so that with a
    # larger one training on short documents takes longer.
    vocabulary_size: PositiveInteger = 30_000
    min_frequency: PositiveInteger = 1
    oov_buckets: Buckets = 1
    reserved_tokens: tuple[ReservedToken, ...] = ()
    # So many more tokens: the first of network.embedding.vectors that the vocabulary lacks.
    vector_tokens: NonNegativeInteger = 0
    lowercase: bool = True
    nfkc: bool = False
    fold_digits: bool = False
    drop_html: bool = False
    protected: tuple[str, ...] = ()  # RE2 patterns; each match is one token
    # Characters that nobody sees (Unicode's default-ignorable ones, such as a soft hyphen) are no
    # part of a word. keep: they are, or separate words, as in models of releases before this key.
    invisible: Literal["drop", "keep"] = "drop"
    cut: Literal["head", "tail", "head+tail"] = "head"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResolvedTextConfig(TextConfig):
    """The text section with a number in place of `auto`, as datasets and model bundles have it."""

    max_tokens: Tokens = dataclasses.field()  # without a default


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """The embedding table: random or read from a vector file."""

    __pydantic_config__ = STRICT

    units: Units = 128
    trainable: bool = True
    vectors: str | None = None  # a GloVe or word2vec text file, local or gs://
    dropout: Rate = 0.0  # drops single numbers of the vectors
    spatial_dropout: Rate = 0.0  # drops a unit at every step of a document
    word_dropout: Rate = 0.0  # drops whole tokens: all numbers of a token's vector
    # A token without a vector starts with numbers uniform in +- this. 0.05 is Keras's default.
    initial_range: PositiveNumber = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class LSTMConfig:
    """The recurrent layers; `units` is the width of one direction."""

    __pydantic_config__ = STRICT

    units: Units = 64
    layers: Layers = 1  # 0: attention over the embeddings, the control of the LSTM
    bidirectional: bool = True
    merge: Literal["concat", "sum"] = "concat"
    dropout: Rate = 0.0  # on the output of every recurrent layer
    recurrent_dropout: Rate = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttentionConfig:
    """How states become one vector; `model.layers.attention` has the equations and sources."""

    __pydantic_config__ = STRICT

    kind: AttentionKind = "zhou"
    return_sequences: bool = False
    units: Units = 128  # width of the projection: context, luong, bahdanau, multihead
    heads: Heads = 4  # multihead only

    def __post_init__(self) -> None:
        weighs = self.kind not in CONTROLS or not self.return_sequences
        expected = f"false for the kind {self.kind!r}, which has no attention weights"
        require(weighs, "return_sequences", expected, self.return_sequences)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WideConfig:
    """The wide part, a linear model over whole documents; `model.wide.wide_part` has its formula.

    Tables take 4 bytes for each bucket and label.
    """

    __pydantic_config__ = STRICT

    bigram_bits: Bits = 18  # 2**18 buckets of two tokens that follow one another
    # Buckets of character n-grams, with which unknown tokens are understood; null: none.
    character_bits: Bits | None = 17


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Embedding -> Bi-LSTM -> attention -> dropout -> head, and the wide part beside them."""

    __pydantic_config__ = STRICT

    embedding: EmbeddingConfig = EmbeddingConfig()
    lstm: LSTMConfig = LSTMConfig()
    attention: AttentionConfig = AttentionConfig()
    dropout: Rate = 0.5
    head: Head = "softmax"
    l2: NonNegativeNumber = 0.0
    # Marked parts of a text, each by the tokens before and after it, such as [<e1>, </e1>]: the
    # head gets the mean of the states between them beside the pooled vector.
    entities: tuple[tuple[ReservedToken, ReservedToken], ...] = ()
    wide: WideConfig | None = WideConfig()  # null: the network alone
    pretrained: str | None = None  # a folder that `pretrain` wrote, local or gs://

    def __post_init__(self) -> None:
        fitting = not self.entities or not self.attention.return_sequences
        expected = "no entities with attention.return_sequences, which predicts at every step"
        require(fitting, "entities", expected, self.entities)

    @property
    def directions(self) -> int:
        """In how many directions the recurrent layers read; 1 if there are none."""
        return 2 if self.lstm.bidirectional and self.lstm.layers else 1

    @property
    def state_units(self) -> int:
        """The width of one direction of the states that are pooled."""
        return self.lstm.units if self.lstm.layers else self.embedding.units

    @property
    def state_width(self) -> int:
        """The width of the states that are pooled: of both directions if they are concatenated."""
        return self.state_units * (self.directions if self.lstm.merge == "concat" else 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariantConfig:
    """A variant of the config, which is trained beside it with every seed."""

    __pydantic_config__ = STRICT

    name: FolderName
    # KEY=VALUE; the keys are of the sections network and training.
    overrides: Annotated[tuple[str, ...], Field(min_length=1, description="at least one KEY=VALUE")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResourcesConfig:
    """What a training worker needs; only some runners, such as Dataflow, provide it."""

    __pydantic_config__ = STRICT

    accelerator: Accelerator | None = None  # "type:nvidia-tesla-t4;count:1;install-nvidia-driver"
    min_ram: str | None = None  # "30GB"
    cpu_count: PositiveInteger | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoftLabelsConfig:
    """How the probabilities of a teacher (`corpus.columns.probabilities`) are learned."""

    __pydantic_config__ = STRICT

    # How much they count in a document that also has a label; the label counts 1 - weight.
    weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    # The teacher's logits are divided by it: above 1 its labels become more alike.
    temperature: PositiveNumber = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialConfig:
    """A loss at the word vectors, moved by `norm`, at which the document's own loss rises most."""

    __pydantic_config__ = STRICT

    weight: NonNegativeNumber = 1.0
    norm: PositiveNumber = 5.0  # of a document's whole change, over all its tokens


@dataclasses.dataclass(frozen=True, kw_only=True)
class VirtualAdversarialConfig:
    """A loss at the word vectors, moved by `norm`, at which the prediction changes most."""

    __pydantic_config__ = STRICT

    weight: NonNegativeNumber = 1.0
    norm: PositiveNumber = 5.0
    xi: PositiveNumber = 0.1  # the norm of the random change by which the direction is looked for


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the network is fitted; the same values train on a laptop and on a GPU worker."""

    __pydantic_config__ = STRICT

    optimizer: Literal["adam", "adadelta", "sgd", "rmsprop"] = "adam"
    # How much of its averages of the gradients and of their squares Adam keeps in each step.
    adam_betas: tuple[Rate, Rate] = (0.9, 0.999)
    learning_rate: PositiveNumber = 0.001
    # Documents of a step, over all devices; null: 64 on a CPU, 512 for each GPU.
    batch_size: PositiveInteger | None = None
    # auto: the more documents the training split has, the fewer.
    epochs: PositiveInteger | Literal["auto"] = "auto"
    seeds: Annotated[
        tuple[Seed, ...],
        Field(min_length=1, description="a list of at least one seed, such as [1]"),
    ] = (1,)
    # The metric on validation that picks the best epoch. semeval_f1 is for the labels of
    # SemEval-2010 Task 8.
    monitor: MonitoredMetric = "accuracy"
    # Early stopping: training ends after this many epochs without a better one; null: never.
    patience: PositiveInteger | None = 5
    schedule: Literal["constant", "cosine"] = "constant"  # of the learning rate, over all epochs
    # The weights are averaged over about this many epochs; 1: they are not averaged.
    average_epochs: PositiveInteger = 1
    # The weights are averaged over about 1 / (1 - ema_decay) steps; 0: they are not averaged.
    ema_decay: Rate = 0.0
    # The largest norm of all gradients together; null: gradients are not clipped.
    gradient_clip: PositiveNumber | None = None
    class_weights: Literal["none", "balanced"] = "none"  # balanced: every label counts the same
    label_smoothing: Rate = 0.0
    soft_labels: SoftLabelsConfig = SoftLabelsConfig()
    # Fitted to the same dataset and shown beside the model: TF-IDF with logistic regression.
    baseline: Literal["linear", "none"] = "linear"
    # Further losses; null, and a weight of 0, leave them out. `model.training.further_losses`.
    adversarial: AdversarialConfig | None = None
    virtual_adversarial: VirtualAdversarialConfig | None = None
    entropy_weight: NonNegativeNumber = 0.0
    variants: tuple[VariantConfig, ...] = ()  # such as pooling without attention, to compare with
    ensemble: bool = False  # the networks of all seeds also predict together, as one more trial
    gpu: Literal["required", "optional", "never"] = "optional"
    # What GPUs compute in; true is float16, false float32. On a CPU training is in float32.
    mixed_precision: HalfPrecision = False
    # Two trainings with the same seed on the same kind of machine give the same weights. On a GPU
    # this costs time.
    deterministic: bool = True
    resources: ResourcesConfig = ResourcesConfig()

    def __post_init__(self) -> None:
        several = len(self.seeds) > 1 or not self.ensemble
        require(several, "ensemble", "false, or at least two training.seeds", self.ensemble)
        distinct = len(set(self.seeds)) == len(self.seeds)
        require(distinct, "seeds", "seeds that differ", self.seeds)
        adam = self.optimizer == "adam" or self.adam_betas == (0.9, 0.999)
        require(
            adam, "adam_betas", f"the default for the optimizer {self.optimizer}", self.adam_betas
        )
        single = self.average_epochs == 1 or self.ema_decay == 0
        require(single, "ema_decay", "0 if average_epochs is above 1: two averages", self.ema_decay)
        names = [BASE_VARIANT, *(variant.name for variant in self.variants)]
        require(len(set(names)) == len(names), "variants", "names that differ", names)

    @property
    def perturbs(self) -> bool:
        """Whether word vectors are changed in training, which also normalizes them."""
        changes = (self.adversarial, self.virtual_adversarial)
        return any(each is not None and each.weight > 0 for each in changes)

    @property
    def learns_from_unlabeled(self) -> bool:
        """Whether there is a loss that needs no label."""
        virtual = self.virtual_adversarial
        return self.entropy_weight > 0 or (virtual is not None and virtual.weight > 0)

    @property
    def has_further_losses(self) -> bool:
        """Whether there are losses beside that of the label."""
        return self.perturbs or self.entropy_weight > 0

    @property
    def gpu_precision(self) -> Precision:
        """What a GPU computes in, by `mixed_precision`."""
        by_value: dict[object, Precision] = {
            False: "float32",
            True: "mixed_float16",
            "float16": "mixed_float16",
            "bfloat16": "mixed_bfloat16",
        }
        return by_value[self.mixed_precision]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResolvedTrainingConfig(TrainingConfig):
    """The training section with a number in place of `auto`, as trials and bundles have it."""

    epochs: PositiveInteger = dataclasses.field()  # without a default


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The sections of a config that a model bundle carries."""

    text: ResolvedTextConfig
    network: NetworkConfig
    training: ResolvedTrainingConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class VectorsConfig:
    """How word vectors are learned from unlabeled text (skip-gram)."""

    __pydantic_config__ = STRICT

    units: PositiveInteger = 100
    epochs: PositiveInteger = 3
    window: PositiveInteger = 5  # tokens to either side
    min_frequency: PositiveInteger = 5
    negative_samples: PositiveInteger = 5
    seed: int = 1


def to_plain(section: Any) -> dict[str, Any]:
    """Converts a section to what YAML and JSON can hold: mappings, lists, numbers, strings."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(section)))
    return plain
