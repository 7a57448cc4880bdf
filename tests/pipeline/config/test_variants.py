import pytest

from model.config import ConfigError, VariantConfig
from pipeline.config.sections import Config
from pipeline.config.variants import vary_config


def test_a_variant_changes_its_own_keys_and_no_others() -> None:
    variant = VariantConfig(name="mean", overrides=("network.attention.kind=mean",))
    varied = vary_config(Config(name="base"), variant)
    assert varied.network.attention.kind == "mean"
    assert (varied.name, varied.training) == ("base", Config().training)


def test_a_variant_may_not_change_what_all_trainings_share() -> None:
    variant = VariantConfig(name="half", overrides=("training.mixed_precision=true",))
    with pytest.raises(ConfigError, match=r"'half': expected .* got training.mixed_precision"):
        vary_config(Config(), variant)


@pytest.mark.parametrize(
    "override", ["text.max_tokens=9", "corpus.limit=9", "scoring.engine=keras", "name=other"]
)
def test_a_variant_may_change_network_and_training_alone(override: str) -> None:
    variant = VariantConfig(name="longer", overrides=(override,))
    with pytest.raises(ConfigError, match="'longer': expected overrides of network and training"):
        vary_config(Config(), variant)
