"""A model with a wide part and a SavedModel, made once for all tests of serving."""

import dataclasses

import pytest

from model.bundle.bundle import Bundle
from model.bundle.loading import load_bundle
from model.config import ResolvedTextConfig, WideConfig
from tests.model.bundles import NETWORK, make_bundle, seal


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Bundle:
    from model.scoring.serving import write_serving  # TensorFlow is imported for this fixture only

    folder = tmp_path_factory.mktemp("served") / "1"
    text = ResolvedTextConfig(max_tokens=6, vocabulary_size=8, nfkc=True, cut="head+tail")
    network = dataclasses.replace(NETWORK, wide=WideConfig(bigram_bits=8, character_bits=8))
    write_serving(make_bundle(folder, text=text, network=network, wide=True))
    seal(folder)
    return load_bundle(folder)
