"""What is checked of a scoring run before its rows are published."""

from pathlib import Path
from typing import Any

import pytest

from model.config import ConfigError
from pipeline.config.sections import Config, CorpusConfig, DriftConfig
from pipeline.corpora.scoring.staging import ScoringStaging
from pipeline.runners.execution import RunError
from pipeline.stages.run_checks import check_broken, check_drift, check_run_rows, check_staged
from pipeline.storage.beam_files import BeamFiles
from pipeline.storage.manifest import Manifest
from pipeline.storage.staging import StagedFile

STAGING = ScoringStaging(folder="out/runs/r/staging")


def check(
    rows: dict[str, Any], *, written: int, below_min_score: int = 0, max_broken_files: int = 0
) -> None:
    run = Manifest(run_id="r", stage="score", config={})
    run.inputs, run.rows = [{"file": "a.jsonl"}], rows
    run.extra = {"below_min_score": below_min_score}
    config = Config(
        corpus=CorpusConfig(max_rejected_fraction=0.1, max_broken_files=max_broken_files)
    )
    check_run_rows(run, config, written=written, staging=STAGING)


def test_a_run_passes_if_every_row_is_written_rejected_or_below_the_threshold() -> None:
    rows = {"read": 100, "used": 90, "rejected": {"empty_text": 10}}
    check(rows, written=85, below_min_score=5)


def test_no_row_is_a_mistake_in_the_command() -> None:
    with pytest.raises(ConfigError, match=r"a\.jsonl: expected rows, got none in 1 input file"):
        check({"read": 0, "used": 0, "rejected": {}}, written=0)
    broken = {"b.gz": "expected gz data, got an empty file"}
    rows = {"read": 0, "used": 0, "rejected": {}, "broken_files": broken}
    named = r"got none in 1 input file\. What is broken: b\.gz: expected gz data"
    with pytest.raises(ConfigError, match=named):
        check(rows, written=0, max_broken_files=1)


def test_a_missing_row_fails_the_run() -> None:
    with pytest.raises(RunError, match="expected 90 rows in the predictions files, got 89"):
        check({"read": 90, "used": 90, "rejected": {}}, written=89)


def test_too_many_rejections_fail_the_run_and_are_named() -> None:
    with pytest.raises(RunError, match=r"11\.00% of the rows.* Read the rejections in out/runs/r/"):
        check({"read": 100, "used": 89, "rejected": {"empty_text": 11}}, written=89)


def test_the_damage_that_may_be_the_cause_of_rejections_is_named() -> None:
    rows = {"read": 100, "used": 89, "rejected": {"malformed_row": 11}, "broken_files": {"a": "b"}}
    named = r"which may be the cause: a: b\. Read the rejections in"
    with pytest.raises(RunError, match=named):
        check(rows, written=89, max_broken_files=1)


def test_broken_files_fail_the_run_and_are_named_with_what_is_wrong() -> None:
    broken = {f"{number}.gz": f"damage {number}" for number in range(7)}
    rows = {"read": 0, "used": 0, "rejected": {}, "broken_files": broken}
    check_broken(rows, CorpusConfig(max_broken_files=7))
    expected = (
        r"7 input files cannot be read to the end, expected at most 6 "
        r"\(corpus\.max_broken_files\): "
        r"0\.gz: damage 0; .*; 4\.gz: damage 4; and 2 more\. Repair "
    )
    with pytest.raises(RunError, match=expected):
        check_broken(rows, CorpusConfig(max_broken_files=6))
    with pytest.raises(RunError, match="7 input files"):  # and not: there was no row
        check(rows, written=0)


@pytest.mark.parametrize(("size", "found"), [(None, "got no file"), (3, "got 3")])
def test_a_staged_file_must_be_there_as_it_was_written(
    tmp_path: Path, size: int | None, found: str
) -> None:
    path = tmp_path / "a.parquet"
    if size is not None:
        path.write_bytes(b"x" * size)
    staged = StagedFile(path=str(path), bytes=4, rows=1, sha256="")
    with pytest.raises(RunError, match=rf"expected the 4 bytes that were written, {found}\."):
        check_staged(BeamFiles(), str(tmp_path), [staged])
    path.write_bytes(b"xxxx")
    check_staged(BeamFiles(), str(tmp_path), [staged])


def test_drift_blocks_only_where_the_config_says_so() -> None:
    check_drift(DriftConfig(on_drift="alert"), ["The labels drifted."])
    check_drift(DriftConfig(on_drift="block"), [])
    with pytest.raises(RunError, match=r"\(drift\.on_drift\): The labels drifted\."):
        check_drift(DriftConfig(on_drift="block"), ["The labels drifted."])
