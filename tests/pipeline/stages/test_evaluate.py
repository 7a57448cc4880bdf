"""`evaluate` leaves nothing behind."""

import dataclasses
from pathlib import Path

from pipeline.stages.evaluate import evaluate
from pipeline.storage.beam_files import BeamFiles
from tests.pipeline.stages.nights import Nights


def test_the_workspace_is_not_written_to(tmp_path: Path, model: str) -> None:
    nights = Nights(folder=tmp_path / "nights", model=model)
    nights.write([{"id": "a", "text": "good", "label": "long"}])
    blocked = tmp_path / "file"
    blocked.touch()
    config = dataclasses.replace(nights.config("2026-11-20"), workspace=str(blocked))
    measured = evaluate(config, model=model, beam_options=[], files=BeamFiles())
    assert measured.rows["used"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "nights"]
