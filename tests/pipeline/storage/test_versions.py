import shutil
from pathlib import Path

import pytest

import model
from pipeline.storage.versions import code_version


@pytest.mark.parametrize("changed", ["config.py", "lowercase.csv"])
def test_the_code_version_changes_with_sources_and_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    shutil.copytree(model.__path__[0], tmp_path / "model")
    monkeypatch.setattr(model, "__path__", [str(tmp_path / "model")])
    version = code_version.__wrapped__
    before = version()
    assert before == version()
    with (tmp_path / "model" / changed).open("a") as stream:
        stream.write("\n")
    assert version() != before
