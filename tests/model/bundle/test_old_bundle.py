"""A bundle of schema 1, whose weights are HDF5, still loads and scores."""

import hashlib

import h5py
import numpy as np
import pytest
import yaml

from model.bundle.errors import BundleError
from model.bundle.loading import load_bundle
from model.scoring.loading import load_scorer
from tests.model.bundles import TEXTS, make_old, seal, texts_array


@pytest.fixture
def old(copy):
    make_old(copy)
    return copy


def test_its_weights_are_those_of_the_new_one(old, published):
    assert {path.name for path in old.iterdir()} >= {"network.weights.h5", "manifest.json"}
    got, expected = load_bundle(old).read_weights(), load_bundle(published).read_weights()
    assert set(got) == set(expected)
    for layer, weights in expected.items():
        for name, array in weights.items():
            np.testing.assert_array_equal(got[layer][name], array)


@pytest.mark.parametrize("engine", ["folded", "keras"])
def test_it_scores_as_the_new_one(old, published, engine):
    one, other = (
        load_scorer(load_bundle(folder), engine=engine).score(texts_array(TEXTS))[0]
        for folder in (old, published)
    )
    assert one.column("probabilities").equals(other.column("probabilities"))
    assert one.column("attention").equals(other.column("attention"))


def test_its_fingerprint_is_what_it_was(old):
    """Of config.yaml, network.weights.h5, vocabulary.txt and labels.txt, in this order."""
    names = ("config.yaml", "network.weights.h5", "vocabulary.txt", "labels.txt")
    lines = [f"{name} {hashlib.sha256((old / name).read_bytes()).hexdigest()}" for name in names]
    expected = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    assert load_bundle(old).manifest["fingerprint"] == expected


def test_a_link_in_its_weights_is_refused(old):
    with h5py.File(old / "network.weights.h5", "r+") as file:
        file.move("layers/dense", "moved")
        file["layers/dense"] = h5py.SoftLink("/moved")
    seal(old, schema_version=1)
    message = r"network\.weights\.h5: expected the weights of .*/layers/dense: .*, got a link"
    with pytest.raises(BundleError, match=message):
        load_bundle(old)


def test_a_model_without_the_key_keeps_invisible_characters(copy):
    path = copy / "config.yaml"
    sections = yaml.safe_load(path.read_text())
    assert sections["text"].pop("invisible") == "drop"
    path.write_text(yaml.safe_dump(sections))
    seal(copy)
    bundle = load_bundle(copy)
    assert bundle.config.text.invisible == "keep"
    columns, _ = load_scorer(bundle, engine="folded").score(texts_array(["the in\u200bvoice"]))
    assert columns.column("tokens").to_pylist() == [["the", "in", "voice"]]
