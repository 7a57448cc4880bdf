import dataclasses
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from model.config import (
    STRICT,
    AttentionConfig,
    ConfigError,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    PositiveInteger,
    ResolvedTextConfig,
    TextConfig,
    TrainingConfig,
    VectorsConfig,
)
from model.config_loading import load_section


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ranges:
    """The kinds of ranges that the sections of the model do not have."""

    __pydantic_config__ = STRICT

    closed: Annotated[float, Field(ge=0, le=1)] = 0.0
    open: Annotated[float, Field(gt=0, lt=1)] = 0.5
    at_most: Annotated[int, Field(le=8)] = 8
    either: PositiveInteger | Literal["auto"] = "auto"
    free: float | None = None


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (
            TextConfig,
            {"max_tokens": 0},
            "max_tokens: expected an integer in [1, 100000] or 'auto', got 0",
        ),
        (
            TextConfig,
            {"max_tokens": 1.5},
            "max_tokens: expected an integer in [1, 100000] or 'auto', got 1.5",
        ),
        (
            TextConfig,
            {"max_tokens": True},
            "max_tokens: expected an integer in [1, 100000] or 'auto', got true",
        ),
        (TextConfig, {"vocabulary_size": 0}, "vocabulary_size: expected an integer >= 1, got 0"),
        (TextConfig, {"min_frequency": 0}, "min_frequency: expected an integer >= 1, got 0"),
        (TextConfig, {"oov_buckets": 0}, "oov_buckets: expected an integer in [1, 1000000], got 0"),
        (TextConfig, {"cut": "middle"}, "cut: expected 'head', 'tail' or 'head+tail', got "),
        (TextConfig, {"lowercase": "no"}, 'lowercase: expected a valid boolean, got "no"'),
        (TextConfig, {"protected": "x"}, 'protected: expected a valid array, got "x"'),
        (
            TextConfig,
            {"reserved_tokens": [""]},
            'reserved_tokens.0: expected a token without line breaks, got ""',
        ),
        (
            TextConfig,
            {"reserved_tokens": ["a", "b\n"]},
            'reserved_tokens.1: expected a token without line breaks, got "b\\n"',
        ),
        (EmbeddingConfig, {"units": 0}, "units: expected an integer in [1, 8192], got 0"),
        (EmbeddingConfig, {"dropout": 1}, "dropout: expected a number in [0, 1)"),
        (EmbeddingConfig, {"spatial_dropout": 1}, "spatial_dropout: expected a number in [0, 1)"),
        (EmbeddingConfig, {"word_dropout": 1}, "word_dropout: expected a number in [0, 1)"),
        (LSTMConfig, {"units": 0}, "units: expected an integer in [1, 8192], got 0"),
        (LSTMConfig, {"layers": -1}, "layers: expected an integer in [0, 16], got -1"),
        (LSTMConfig, {"dropout": -0.1}, "dropout: expected a number in [0, 1), got -0.1"),
        (LSTMConfig, {"recurrent_dropout": 1}, "recurrent_dropout: expected a number in [0, 1)"),
        (LSTMConfig, {"merge": "mul"}, "merge: expected 'concat' or 'sum', got \"mul\""),
        (AttentionConfig, {"kind": "zho"}, "kind: expected 'zhou', 'dense', "),
        (AttentionConfig, {"units": 0}, "units: expected an integer in [1, 8192], got 0"),
        (
            AttentionConfig,
            {"kind": "max", "return_sequences": True},
            "return_sequences: expected false for the kind 'max', which has no attention weights, "
            "got True",
        ),
        (AttentionConfig, {"heads": 0}, "heads: expected an integer in [1, 256], got 0"),
        (NetworkConfig, {"dropout": 1}, "dropout: expected a number in [0, 1), got 1"),
        (NetworkConfig, {"l2": -1}, "l2: expected a number >= 0, got -1"),
        (NetworkConfig, {"head": "tanh"}, "head: expected 'softmax', 'sigmoid' or 'multilabel'"),
        (
            NetworkConfig,
            {"lstm": {"units": 0}},
            "lstm.units: expected an integer in [1, 8192], got 0",
        ),
        (NetworkConfig, {"lstm": {"unit": 1}}, "lstm.unit: unknown key (did you mean lstm.units?)"),
        (NetworkConfig, {"embeding": {}}, "embeding: unknown key (did you mean embedding?)"),
        (NetworkConfig, {"qqq": 1}, "qqq: unknown key, expected one of embedding, lstm, "),
        (TrainingConfig, {"learning_rate": 0}, "learning_rate: expected a number > 0, got 0"),
        (TrainingConfig, {"learning_rate": float("nan")}, "learning_rate: expected a finite"),
        (TrainingConfig, {"learning_rate": float("inf")}, "learning_rate: expected a finite"),
        (
            TrainingConfig,
            {"learning_rate": "1e-3"},
            'learning_rate: expected a number > 0, got "1e-3", which YAML reads as text (write '
            "0.001)",
        ),
        (
            NetworkConfig,
            {"l2": "1e-8"},
            'l2: expected a number >= 0, got "1e-8", which YAML reads as text (write 1.0e-08)',
        ),
        (
            TrainingConfig,
            {"epochs": "7"},
            "epochs: expected an integer >= 1 or 'auto', got \"7\", which YAML reads as text "
            "(write 7)",
        ),
        (TrainingConfig, {"learning_rate": "a"}, 'learning_rate: expected a number > 0, got "a".'),
        (TrainingConfig, {"learning_rate": "nan"}, "learning_rate: expected a number > 0, got"),
        (TrainingConfig, {"batch_size": 0}, "batch_size: expected an integer >= 1 or null, got 0"),
        (TrainingConfig, {"epochs": 0}, "epochs: expected an integer >= 1 or 'auto', got 0"),
        (
            TrainingConfig,
            {"seeds": []},
            "seeds: expected a list of at least one seed, such as [1], got []",
        ),
        (TrainingConfig, {"seeds": [1, 1]}, "seeds: expected seeds that differ, got (1, 1)"),
        (TrainingConfig, {"seeds": [-1]}, "seeds.0: expected an integer in [0, 2**32), got -1"),
        (
            TrainingConfig,
            {"seeds": [1, "a"]},
            'seeds.1: expected an integer in [0, 2**32), got "a".',
        ),
        (TrainingConfig, {"patience": 0}, "patience: expected an integer >= 1 or null, got 0"),
        (TrainingConfig, {"gradient_clip": 0}, "gradient_clip: expected a number > 0 or null"),
        (TrainingConfig, {"average_epochs": 0}, "average_epochs: expected an integer >= 1, got 0"),
        (TrainingConfig, {"ema_decay": 1}, "ema_decay: expected a number in [0, 1), got 1"),
        (
            TrainingConfig,
            {"ema_decay": 0.5, "average_epochs": 2},
            "ema_decay: expected 0 if average_epochs is above 1: two averages, got 0.5",
        ),
        (
            TrainingConfig,
            {"optimizer": "sgd", "adam_betas": [0.0, 0.98]},
            "adam_betas: expected the default for the optimizer sgd, got ",
        ),
        (
            TrainingConfig,
            {"mixed_precision": "float32"},
            'mixed_precision: expected false, true, float16 or bfloat16, got "float32".',
        ),
        (
            TrainingConfig,
            {"mixed_precision": 16},
            "mixed_precision: expected false, true, float16 or bfloat16, got 16.",
        ),
        (TrainingConfig, {"label_smoothing": 1}, "label_smoothing: expected a number in [0, 1)"),
        (
            TrainingConfig,
            {"resources": {"accelerator": "nvidia"}},
            "resources.accelerator: expected type:NAME;count:N[;install-nvidia-driver] or null, ",
        ),
        (
            TrainingConfig,
            {"resources": {"cpu_count": 0}},
            "resources.cpu_count: expected an integer >= 1 or null, got 0",
        ),
        (
            TrainingConfig,
            {"variants": [{"name": "a/b", "overrides": ["x=1"]}]},
            "variants.0.name: expected letters, digits, '.', '_' or '-', ",
        ),
        (
            TrainingConfig,
            {"variants": [{"name": "a", "overrides": []}]},
            "variants.0.overrides: expected at least one KEY=VALUE, got []",
        ),
        (
            TrainingConfig,
            {"variants": [{"name": "a", "overrides": ["x=1"]}] * 2},
            "variants: expected names that differ, got ['base', 'a', 'a']",
        ),
        (VectorsConfig, {"window": 0}, "window: expected an integer >= 1, got 0"),
        (Ranges, {"closed": 1.5}, "closed: expected a number in [0, 1], got 1.5"),
        (Ranges, {"open": 1}, "open: expected a number in (0, 1), got 1"),
        (Ranges, {"at_most": 9}, "at_most: expected an integer <= 8, got 9"),
        (Ranges, {"either": 0}, "either: expected an integer >= 1 or 'auto', got 0."),
        (Ranges, {"either": "all"}, "either: expected an integer >= 1 or 'auto', got \"all\"."),
        (
            Ranges,
            {"either": "7"},
            "either: expected an integer >= 1 or 'auto', got \"7\", which YAML reads as text "
            "(write 7). Edit",
        ),
        (
            ResolvedTextConfig,
            {"max_tokens": "auto"},
            'max_tokens: expected an integer in [1, 100000], got "auto".',
        ),
        (ResolvedTextConfig, {}, "max_tokens: expected a value, got none"),
        (Ranges, {"free": "x"}, 'free: expected a number or null, got "x"'),
    ],
)
def test_a_bad_value_is_one_line_with_its_key(
    section: type, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load_section(section, values, where="my.yaml")
    line = str(raised.value)
    assert line.startswith(message)
    assert line.endswith(". Edit my.yaml or pass --set KEY=VALUE.")
    assert "\n" not in line


def test_values_at_the_edge_are_taken() -> None:
    assert load_section(LSTMConfig, {"dropout": 0}, where="x").dropout == 0
    assert load_section(TrainingConfig, {"patience": None}, where="x").patience is None
    assert load_section(TrainingConfig, {"seeds": [0, 2**32 - 1]}, where="x").seeds[1] == 2**32 - 1


def test_a_list_with_a_bad_item_is_not_called_too_short() -> None:
    with pytest.raises(ConfigError) as raised:
        load_section(TrainingConfig, {"seeds": [-1]}, where="x")
    assert "at least one seed" not in str(raised.value)
