import os
from pathlib import Path

import hypothesis
import pytest

# An example's first run may import a library; how long it takes says nothing.
hypothesis.settings.register_profile("limelight", deadline=None)
hypothesis.settings.load_profile("limelight")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the real corpora, which are not part of the project."""
    if not os.environ.get("CORPORA"):
        pytest.skip("CORPORA does not name the folder of the real corpora")
    return Path(os.environ["CORPORA"])
