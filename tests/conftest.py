import os
from pathlib import Path

import hypothesis
import pytest

# An example's first run may import a library; how long it takes says nothing.
hypothesis.settings.register_profile("limelight", deadline=None)
hypothesis.settings.load_profile("limelight")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the real corpora, which are not part of the project."""
    folder = Path(os.environ.get("CORPORA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real corpora are not at {folder}: name their folder in CORPORA")
    return folder
