"""A small model directory, and a copy of it that a test may damage."""

import shutil
from pathlib import Path

import pytest

from tests.model.bundles import make_bundle


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small" / "1"
    make_bundle(folder)
    return folder


@pytest.fixture
def copy(published, tmp_path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "1"))
