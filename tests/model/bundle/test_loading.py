"""The model directory: what is written comes back, what was changed is refused by name."""

import pytest

from model.bundle.errors import BundleError
from model.bundle.lines import write_lines
from model.bundle.loading import load_bundle
from tests.model.bundles import LABELS, NETWORK, TEXT, TOKENS, seal


def test_a_bundle_comes_back_as_it_was_written(published):
    bundle = load_bundle(published)
    assert bundle.labels == LABELS
    assert bundle.vocabulary.tokens == TOKENS
    assert (bundle.config.text, bundle.config.network) == (TEXT, NETWORK)
    assert bundle.model_version == "small/1"


@pytest.mark.parametrize(
    "name",
    ["config.yaml", "network.weights.safetensors", "vocabulary.txt", "labels.txt", "golden.jsonl"],
)
def test_a_flipped_byte_is_refused_by_name(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=rf"{name}: expected SHA-256 .* was changed"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["network.weights.safetensors", "labels.txt"])
def test_a_missing_file_is_refused_by_name(copy, name):
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: expected this file"):
        load_bundle(copy)


def test_a_vocabulary_of_another_length_is_refused(copy):
    write_lines(copy / "vocabulary.txt", [*TOKENS, "extra"])
    seal(copy)
    with pytest.raises(BundleError, match=r"vocabulary.txt: expected 10 ids, got 11"):
        load_bundle(copy)
