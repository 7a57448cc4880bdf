import dataclasses
import json
import pickle

import pytest

from model.config import (
    AttentionConfig,
    ConfigError,
    EmbeddingConfig,
    LSTMConfig,
    NetworkConfig,
    TextConfig,
    TrainingConfig,
    require,
)
from model.config_loading import load_section

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


def test_require_raises_unless_the_condition_holds() -> None:
    require(True, "key", "a thing", 1)
    with pytest.raises(ValueError, match=r"^key: expected a thing, got 'x'$"):
        require(False, "key", "a thing", "x")


@pytest.mark.parametrize("value", [0, 0.0, 0.999])
def test_rates_below_one(value: float) -> None:
    assert load_section(EmbeddingConfig, {"dropout": value}, where="x").dropout == value


@pytest.mark.parametrize("value", [-0.001, 1, 1.0])
def test_what_is_no_rate(value: float) -> None:
    with pytest.raises(ConfigError, match=r"^dropout: expected a number in \[0, 1\)"):
        load_section(EmbeddingConfig, {"dropout": value}, where="x")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number(value: float) -> None:
    with pytest.raises(ConfigError, match=r"^dropout: expected a finite number"):
        load_section(EmbeddingConfig, {"dropout": value}, where="x")


@pytest.mark.parametrize(
    ("value", "precision"),
    [
        (False, "float32"),
        (True, "mixed_float16"),
        ("float16", "mixed_float16"),
        ("bfloat16", "mixed_bfloat16"),
    ],
)
def test_what_gpus_compute_in(value: bool | str, precision: str) -> None:
    """Models that were trained before bfloat16 was a choice carry true or false."""
    config = load_section(TrainingConfig, {"mixed_precision": value}, where="x")
    assert config.gpu_precision == precision
    assert load_section(TrainingConfig, dataclasses.asdict(config), where="x") == config
