import dataclasses
import json
import pickle
from typing import Any

import pytest

from model.config import (
    AttentionConfig,
    ConfigError,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
    load_section,
    require,
    require_rate,
)

SECTIONS = (
    TextConfig,
    EmbeddingConfig,
    LSTMConfig,
    AttentionConfig,
    NetworkConfig,
    TrainingConfig,
)


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_survive_json_and_pickle(section: type) -> None:
    default = section()
    plain = json.loads(json.dumps(dataclasses.asdict(default)))
    assert load_section(section, plain, where="x") == default
    assert load_section(section, {}, where="x") == default
    assert pickle.loads(pickle.dumps(default)) == default  # noqa: S301 as workers receive it


@pytest.mark.parametrize("section", SECTIONS)
def test_sections_are_frozen_and_hashable(section: type) -> None:
    default = section()
    assert hash(default) == hash(section())
    with pytest.raises(dataclasses.FrozenInstanceError):
        default.units = 1


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (TextConfig, {"max_tokens": 0}, "max_tokens: expected an integer >= 1, got 0"),
        (TextConfig, {"max_tokens": 1.5}, "max_tokens: expected a valid integer, got 1.5"),
        (TextConfig, {"max_tokens": True}, "max_tokens: expected a valid integer, got true"),
        (TextConfig, {"vocabulary_size": 0}, "vocabulary_size: expected an integer >= 1, got 0"),
        (TextConfig, {"min_frequency": 0}, "min_frequency: expected an integer >= 1, got 0"),
        (TextConfig, {"oov_buckets": 0}, "oov_buckets: expected an integer >= 1, got 0"),
        (TextConfig, {"cut": "middle"}, "cut: expected 'head', 'tail' or 'head+tail', got "),
        (TextConfig, {"lowercase": "no"}, 'lowercase: expected a valid boolean, got "no"'),
        (TextConfig, {"protected": "x"}, 'protected: expected a valid array, got "x"'),
        (
            TextConfig,
            {"reserved_tokens": [""]},
            "reserved_tokens: expected tokens without line breaks, got ('',)",
        ),
        (
            TextConfig,
            {"reserved_tokens": ["a", "b\n"]},
            "reserved_tokens: expected tokens without line breaks, got ('a', 'b\\n')",
        ),
        (EmbeddingConfig, {"units": 0}, "units: expected an integer >= 1, got 0"),
        (EmbeddingConfig, {"dropout": 1}, "dropout: expected a number in [0, 1)"),
        (EmbeddingConfig, {"spatial_dropout": 1}, "spatial_dropout: expected a number in [0, 1)"),
        (LSTMConfig, {"units": 0}, "units: expected an integer >= 1, got 0"),
        (LSTMConfig, {"layers": 0}, "layers: expected an integer >= 1, got 0"),
        (LSTMConfig, {"dropout": -0.1}, "dropout: expected a number in [0, 1), got -0.1"),
        (LSTMConfig, {"recurrent_dropout": 1}, "recurrent_dropout: expected a number in [0, 1)"),
        (LSTMConfig, {"merge": "mul"}, "merge: expected 'concat' or 'sum', got \"mul\""),
        (AttentionConfig, {"kind": "zho"}, "kind: expected 'zhou', 'dense', "),
        (AttentionConfig, {"units": 0}, "units: expected an integer >= 1, got 0"),
        (
            AttentionConfig,
            {"kind": "max", "return_sequences": True},
            "return_sequences: expected false for the kind 'max', which weighs no states, got True",
        ),
        (AttentionConfig, {"heads": 0}, "heads: expected an integer >= 1, got 0"),
        (NetworkConfig, {"dropout": 1}, "dropout: expected a number in [0, 1), got 1"),
        (NetworkConfig, {"l2": -1}, "l2: expected a number >= 0, got -1"),
        (NetworkConfig, {"head": "tanh"}, "head: expected 'softmax', 'sigmoid' or 'multilabel'"),
        (NetworkConfig, {"lstm": {"units": 0}}, "lstm.units: expected an integer >= 1, got 0"),
        (NetworkConfig, {"lstm": {"unit": 1}}, "lstm.unit: unknown key (did you mean lstm.units?)"),
        (NetworkConfig, {"embeding": {}}, "embeding: unknown key (did you mean embedding?)"),
        (NetworkConfig, {"qqq": 1}, "qqq: unknown key, expected one of embedding, lstm, "),
        (TrainingConfig, {"learning_rate": 0}, "learning_rate: expected a number > 0, got 0"),
        (TrainingConfig, {"learning_rate": float("nan")}, "learning_rate: expected a finite"),
        (TrainingConfig, {"learning_rate": float("inf")}, "learning_rate: expected a finite"),
        (
            TrainingConfig,
            {"learning_rate": "1e-3"},
            'learning_rate: expected a valid number, got "1e-3", which YAML takes for text (write '
            "0.001000)",
        ),
        (TrainingConfig, {"learning_rate": "a"}, 'learning_rate: expected a valid number, got "a"'),
        (TrainingConfig, {"batch_size": 0}, "batch_size: expected an integer >= 1, got 0"),
        (TrainingConfig, {"epochs": 0}, "epochs: expected an integer >= 1, got 0"),
        (TrainingConfig, {"seeds": []}, "seeds: expected at least one seed, got ()"),
        (TrainingConfig, {"seeds": [1, 1]}, "seeds: expected seeds that differ, got (1, 1)"),
        (TrainingConfig, {"seeds": [-1]}, "seeds: expected integers in [0, 2**32), got (-1,)"),
        (TrainingConfig, {"seeds": [1, "a"]}, 'seeds.1: expected a valid integer, got "a"'),
        (TrainingConfig, {"patience": 0}, "patience: expected an integer >= 1 or null, got 0"),
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


def test_require_raises_unless_the_condition_holds() -> None:
    require(True, "key", "a thing", 1)
    with pytest.raises(ValueError, match=r"^key: expected a thing, got 'x'$"):
        require(False, "key", "a thing", "x")


@pytest.mark.parametrize("value", [0, 0.0, 0.999])
def test_rates_below_one(value: float) -> None:
    require_rate(value, "rate")


@pytest.mark.parametrize("value", [-0.001, 1, 1.0, float("nan"), float("inf")])
def test_what_is_no_rate(value: float) -> None:
    with pytest.raises(ValueError, match=r"^rate: expected a number in \[0, 1\)"):
        require_rate(value, "rate")
