"""What a run does if its corpus differs from that of training or of the last nights."""

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline.config.sections import DriftConfig
from pipeline.runners.execution import RunError
from pipeline.storage.files import base_name
from tests.pipeline.stages.nights import Nights, make_rows


@pytest.fixture
def nights(tmp_path: Path, model: str) -> Nights:
    made = Nights(folder=tmp_path, model=model)
    for day, first in ((17, 0), (18, 900)):
        made.write(make_rows(450, first=first), date=f"2026-11-{day}")
        made.score(date=f"2026-11-{day}")
    return made


def score(made: Nights, date: str, **drift: object):
    config = dataclasses.replace(made.config(date), drift=DriftConfig(**drift))
    return made.score(date=date, config=config)


def short(rows: int) -> list[dict[str, str]]:
    return [{"id": f"s{row}", "text": "short"} for row in range(rows)]


def test_a_night_is_compared_with_the_nights_before(nights: Nights) -> None:
    first, second = nights.manifests()
    assert first["drift"] == {"differences": [], "warnings": []}
    assert {item["against"] for item in second["drift"]["differences"]} == {"nights"}
    assert second["drift"]["warnings"] == []
    assert second["profile"]["documents"] == 450

    nights.write(short(450), date="2026-11-19")
    run = score(nights, "2026-11-19", on_drift="alert")
    assert run.alerts
    assert "The lengths are distributed differently than in the last nights: PSI" in " ".join(
        run.manifest["drift"]["warnings"]
    )
    page = (Path(run.folder) / "report.html").read_text()
    assert "The lengths are distributed differently than in the last nights" in page
    assert not score(nights, "2026-11-19").alerts  # warn is the default
    assert not score(nights, "2026-11-19", on_drift="alert", nights=0).manifest["drift"]["warnings"]


def test_a_blocked_night_publishes_nothing(nights: Nights) -> None:
    nights.write(short(450), date="2026-11-19")
    with pytest.raises(RunError, match=r"Nothing was published \(drift\.on_drift\): The "):
        score(nights, "2026-11-19", on_drift="block")
    assert not Path(nights.partition("2026-11-19").predictions).exists()
    assert nights.manifests()[-1]["status"] == "failed"
    assert nights.manifests()[-1]["drift"]["warnings"]


def test_a_night_without_a_profile_is_not_compared(nights: Nights) -> None:
    """Some older release, killed between the commit and the manifest, left such manifests."""
    for path in nights.output.glob("runs/*/manifest.json"):
        manifest = json.loads(path.read_text())
        del manifest["profile"]
        path.write_text(json.dumps({**manifest, "status": "running"}))
    nights.write(short(450), date="2026-11-19")
    assert score(nights, "2026-11-19").manifest["drift"]["differences"] == []


def test_nights_of_another_model_are_not_compared(nights: Nights) -> None:
    for path in nights.output.glob("runs/*/manifest.json"):
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, "model_fingerprint": "another"}))
    nights.write(short(450), date="2026-11-19")
    run = score(nights, "2026-11-19")
    assert run.manifest["drift"]["differences"] == []
    assert base_name(run.folder) == run.manifest["run_id"]
