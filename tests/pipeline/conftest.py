import pytest

from tests.pipeline.tiny_model import write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a tiny model, which the tests of a module share."""
    return write_model(tmp_path_factory.mktemp("model"))
