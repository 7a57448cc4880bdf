"""The version under which a model is published."""

from pathlib import Path

import pytest

from pipeline.stages.model_publishing import next_version
from pipeline.storage.beam_files import BeamFiles


@pytest.mark.parametrize(
    ("present", "version"),
    [((), 1), (("1",), 2), (("1", "2", "10"), 11), (("notes",), 1), (("3", "notes"), 4)],
)
def test_the_next_version_is_one_more_than_the_highest(
    tmp_path: Path, present: tuple[str, ...], version: int
) -> None:
    for name in present:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    assert next_version(BeamFiles(), str(tmp_path)) == version
