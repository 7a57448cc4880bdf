"""What a report reads of a model and beside it; the manifest may hold everything that it shows."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from model.bundle.errors import BundleError
from model.bundle.file_names import (
    CONFIG,
    GALLERY,
    GOLDEN,
    HISTORY,
    LABELS,
    METRICS,
    STATISTICS,
    VOCABULARY,
    WEIGHTS,
)
from model.bundle.manifest import model_fingerprint, parse_manifest
from model.bundle.manifest_schema import TRAINED_SCHEMA
from model.bundle.schema_checks import check_schema
from model.bundle.side_files import check_side_file
from model.metrics.paired import AccuracyDifference
from model.training.wide_fitting.mix import Mix
from pipeline.corpora.scoring.gallery import ExampleDocument, gallery_to_lines
from pipeline.reports.content import InputCounts
from pipeline.reports.described_model import check_described, rejections_beside
from pipeline.reports.model_report import TrialRecord
from pipeline.training.baseline_record import BaselineRecord

INPUT = InputCounts(
    file="a.csv",
    bytes=90,
    rows_read=9,
    rows_used=8,
    rows_rejected=1,
    broken="expected 10 rows, got 9",
    headers_skipped=1,
    rows_repaired=1,
)
TRIAL = TrialRecord(variant="base", seed=1, epochs=2, metrics={"test": {"accuracy": 0.5}})


def trained(**changes: Any) -> dict[str, Any]:
    return {
        "run_id": "train-1",
        "finished": "2026-01-01T00:00:00Z",
        "command": "limelight train",
        "code_version": "1",
        "libraries": {"numpy": "2"},
        "dataset": "datasets/0123456789abcdef",
        "variant": "base",
        "seed": 1,
        "best_epoch": 1,
        "trials": [dataclasses.asdict(TRIAL)],
        "inputs": [dataclasses.asdict(INPUT)],
        "rows": {"read": 9, "used": 8, "rejected": {"malformed_row": 1}},
        "config": {},
        **changes,
    }


def test_every_field_of_an_input_and_a_trial_is_known() -> None:
    for record in (INPUT, TRIAL):  # a new field gets a value here, too
        defaults = [field.default for field in dataclasses.fields(record)]
        values = [getattr(record, field.name) for field in dataclasses.fields(record)]
        assert not any(value == default for value, default in zip(values, defaults, strict=True)), (
            record
        )
    check_schema(TRAINED_SCHEMA, trained(), where="manifest.json")


def test_every_field_of_mix_baseline_and_examples_is_known() -> None:
    """Pages make these objects of what the files hold, so that a schema lists their fields."""
    mix = Mix(network=0.5, wide=0.5, network_loss=0.5, loss=0.4)
    difference = AccuracyDifference(
        documents=9, accuracy=0.5, other_accuracy=0.4, low=-0.1, high=0.3
    )
    baseline = BaselineRecord(
        terms="words", scores={"test": {"loss": 0.5}}, differences={"test": difference}
    )
    files = {
        name: {"bytes": 1, "sha256": "0" * 64}
        for name in (CONFIG, WEIGHTS, VOCABULARY, LABELS, GOLDEN)
    }
    manifest = trained(
        schema_version=4,
        model_version="a/1",
        vocabulary_ids=3,
        files=files,
        fingerprint=model_fingerprint(files),
        mix=dataclasses.asdict(mix),
        baseline=dataclasses.asdict(baseline),
    )
    parse_manifest(json.dumps(manifest).encode(), where="m")
    example = ExampleDocument(
        document_id="a",
        text="b",
        truth=None,
        label="c",
        score=0.5,
        token_starts=[0],
        token_ends=[1],
        attention=[1.0],
        contributions=[0.5],
        unknown_share=0.5,
    )
    [line] = gallery_to_lines([example])
    check_side_file(GALLERY, line.encode(), where="g")


def test_another_field_is_refused_by_name() -> None:
    inputs = [{**dataclasses.asdict(INPUT), "rows_invented": 1}]
    with pytest.raises(BundleError, match=r"manifest.json: inputs.0.rows_invented: expected no"):
        check_schema(TRAINED_SCHEMA, trained(inputs=inputs), where="manifest.json")


NAME = "9abe7d239884ee9f"
FILES = dict.fromkeys((METRICS, STATISTICS, GALLERY, HISTORY))


@pytest.mark.parametrize(
    ("model", "dataset", "expected"),
    [
        ("/ws/models/demo/1", f"/ws/datasets/{NAME}", f"/ws/datasets/{NAME}/rejected"),
        ("/ws/models/demo/1/", f"/etc/{NAME}", f"/ws/datasets/{NAME}/rejected"),
        ("gs://b/ws/models/demo/1", f"x/{NAME}/", f"gs://b/ws/datasets/{NAME}/rejected"),
        ("/ws/models/demo/1", "/etc", None),
        ("/ws/models/demo/1", f"gs://evil/{NAME}/..", None),
        ("/ws/models/demo/1", "", None),
    ],
)
def test_rejections_are_looked_for_in_the_workspace_alone(model, dataset, expected) -> None:
    assert rejections_beside(model, {"dataset": dataset}) == expected


@pytest.mark.parametrize("missing", FILES)
def test_a_file_that_a_report_shows_is_named_if_it_is_missing(missing: str) -> None:
    files = {name: None for name in FILES if name != missing}
    bundle: Any = SimpleNamespace(folder=Path("m"), manifest={"files": files})
    with pytest.raises(BundleError, match=rf"^m/{missing}: expected this file"):
        check_described(bundle)


def test_a_key_that_a_report_shows_is_named_if_it_is_missing() -> None:
    bundle: Any = SimpleNamespace(folder=Path("m"), manifest={"files": FILES})
    with pytest.raises(BundleError, match=r"^m/manifest\.json: run_id: expected a value, got none"):
        check_described(bundle)
