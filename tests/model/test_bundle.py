"""The model directory: what is written comes back, what was changed is refused by name."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from model.bundle import BundleError, load_bundle, read_lines, write_lines
from model.scoring.scorer import load_scorer
from tests.model.bundles import LABELS, NETWORK, TEXT, TOKENS, make_bundle, seal


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small" / "1"
    make_bundle(folder)
    return folder


@pytest.fixture
def copy(published, tmp_path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "1"))


def test_a_bundle_comes_back_as_it_was_written(published):
    bundle = load_bundle(published)
    assert bundle.labels == LABELS
    assert bundle.vocabulary.tokens == TOKENS
    assert (bundle.config.text, bundle.config.network) == (TEXT, NETWORK)
    assert bundle.model_version == "small/1"


def test_the_network_comes_back_with_its_weights(published):
    first, second = (load_bundle(published).build_network() for _ in range(2))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "name", ["config.yaml", "network.weights.h5", "vocabulary.txt", "labels.txt", "golden.jsonl"]
)
def test_a_flipped_byte_is_refused_by_name(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=rf"{name}: expected SHA-256 .* was changed"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["network.weights.h5", "labels.txt"])
def test_a_missing_file_is_refused_by_name(copy, name):
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: expected this file"):
        load_bundle(copy)


def test_a_vocabulary_of_another_length_is_refused(copy):
    write_lines(copy / "vocabulary.txt", [*TOKENS, "extra"])
    seal(copy)
    with pytest.raises(BundleError, match=r"vocabulary.txt: expected 10 ids, got 11"):
        load_bundle(copy)


def test_a_newer_schema_is_refused(copy):
    seal(copy, schema_version=99)
    with pytest.raises(BundleError, match="expected schema version 1 or older, got 99"):
        load_bundle(copy)


def test_a_manifest_that_leaves_a_file_out_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["labels.txt"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"to list labels.txt"):
        load_bundle(copy)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": "x", "files": {}}'])
def test_a_damaged_manifest_is_refused(copy, content):
    (copy / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match="expected the manifest of a model"):
        load_bundle(copy)


def test_no_model_directory_is_one_clear_line(tmp_path):
    with pytest.raises(
        BundleError, match=r"manifest.json: expected a model directory .* Give"
    ) as error:
        load_bundle(tmp_path / "nothing")
    assert "\n" not in str(error.value)


def test_a_perturbed_weight_with_mended_digests_fails_the_golden_documents(copy):
    with h5py.File(copy / "network.weights.h5", "r+") as weights:
        kernels: list[h5py.Dataset] = []
        weights.visititems(
            lambda _, item: kernels.append(item) if isinstance(item, h5py.Dataset) else None
        )
        largest = max(kernels, key=lambda item: item.size)
        largest[...] = largest[...] + 0.05
    seal(copy)
    with pytest.raises(BundleError, match=r"golden documents' .* got a difference"):
        load_scorer(load_bundle(copy))


def test_lines_hold_everything_but_a_line_feed(tmp_path):
    lines = ["a", "", "b\rc", "\u2028", "ü 很"]
    write_lines(tmp_path / "lines", lines)
    assert read_lines(tmp_path / "lines") == lines
