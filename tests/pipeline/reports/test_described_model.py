"""The manifest of a model may hold everything that pages show of it."""

import dataclasses
from typing import Any

import pytest

from model.bundle.errors import BundleError
from model.bundle.manifest_schema import TRAINED_SCHEMA
from model.bundle.schema_checks import check_schema
from pipeline.reports.content import InputCounts
from pipeline.reports.model_report import TrialRecord

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


def test_another_field_is_refused_by_name() -> None:
    inputs = [{**dataclasses.asdict(INPUT), "rows_invented": 1}]
    with pytest.raises(BundleError, match=r"manifest.json: inputs.0.rows_invented: expected no"):
        check_schema(TRAINED_SCHEMA, trained(inputs=inputs), where="manifest.json")
