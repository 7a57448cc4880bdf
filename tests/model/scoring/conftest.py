"""A model with a SavedModel, made once for all tests of serving."""

import pytest

from model.bundle.bundle import Bundle
from model.bundle.loading import load_bundle
from model.config import ResolvedTextConfig
from tests.model.bundles import make_bundle, seal


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Bundle:
    from model.scoring.serving import write_serving  # TensorFlow is imported for this fixture only

    folder = tmp_path_factory.mktemp("served") / "1"
    text = ResolvedTextConfig(max_tokens=6, vocabulary_size=8, nfkc=True, cut="head+tail")
    write_serving(make_bundle(folder, text=text))
    seal(folder)
    return load_bundle(folder)
