"""Which partition may be reused: only one of the same models, settings and code."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.config import ConfigError
from pipeline.nights.partition import Partition
from pipeline.nights.reusable_partition import find_reusable_partition
from pipeline.nights.reuse_counts import count_reuse, describe_reuse
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.manifest import Manifest
from pipeline.storage.versions import code_version

FIRST, SECOND = "2026-11-19", "2026-11-20"
SCORING = {"engine": "auto", "threads": 2}
BUNDLES: list[Any] = [SimpleNamespace(manifest={"fingerprint": "one"}, labels=("a", "b"))]
NOW = Manifest(run_id="now", stage="score", config={"scoring": SCORING})


def publish_night(
    output: Path,
    *,
    rows: int = 3,
    fingerprint: str = "one",
    scoring: dict[str, Any] = SCORING,
    code: str | None = None,
) -> None:
    """Leaves the partition of `FIRST` and the manifest of its run."""
    folder = output / "predictions" / f"dt={FIRST}"
    folder.mkdir(parents=True)
    listed = []
    if rows:
        schema = pa.schema(
            [("document_id", pa.string())], metadata={"model_fingerprint": fingerprint}
        )
        path = folder / "part-0.parquet"
        pq.write_table(pa.table({"document_id": ["d"] * rows}, schema=schema), path)
        listed = [{"file": path.name, "bytes": path.stat().st_size, "rows": rows}]
    success = {"run_id": "then", "rows": rows, "files": listed}
    (folder / "_SUCCESS").write_text(json.dumps(success))
    run = output / "runs" / "then"
    run.mkdir(parents=True)
    manifest = {"config": {"scoring": scoring}, "code_version": code or code_version()}
    (run / "manifest.json").write_text(json.dumps(manifest))


def find(output: Path, reuse_from: str = "previous") -> Any:
    partition = Partition(output=str(output), date=SECOND)
    return find_reusable_partition(NOW, reuse_from, BUNDLES, partition=partition, files=BeamFiles())


@pytest.mark.parametrize("reuse_from", ["previous", FIRST])
def test_a_night_of_the_same_models_settings_and_code_is_found(
    tmp_path: Path, reuse_from: str
) -> None:
    publish_night(tmp_path, scoring={**SCORING, "threads": 7})
    found = find(tmp_path, reuse_from)
    assert found.source == {"date": FIRST, "run_id": "then"}
    assert found.labels == ("a", "b")
    assert found.count_rows(BeamFiles()) == 3


@pytest.mark.parametrize(
    ("night", "reason"),
    [
        ({"fingerprint": "another"}, "because it was made with another model"),
        ({"scoring": {"engine": "keras"}}, "because it was made with another scoring section"),
        (
            {"code": "another", "scoring": {}},
            "made with another scoring section and another version of the code",
        ),
        ({"rows": 0}, "because the partition has no rows"),
    ],
)
def test_another_night_is_refused_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, night: dict[str, Any], reason: str
) -> None:
    publish_night(tmp_path, **night)
    with caplog.at_level(logging.INFO, logger="limelight"):
        assert find(tmp_path) is None
    assert reason in caplog.text


def test_a_date_without_a_complete_partition_is_an_error(tmp_path: Path) -> None:
    publish_night(tmp_path)
    with pytest.raises(ConfigError, match="--reuse-from 2026-11-01: expected a complete"):
        find(tmp_path, "2026-11-01")


def test_the_manifest_counts_rows_reused_scored_and_removed(tmp_path: Path) -> None:
    publish_night(tmp_path)
    found = find(tmp_path)
    counts = count_reuse(reused=1, known=2)
    assert describe_reuse(found, counts, used=5, files=BeamFiles()) == {
        "date": FIRST,
        "run_id": "then",
        "carried": 1,
        "scored": 4,
        "removed": 1,
    }
