"""Where the linear baseline is better than the model is said, with the interval."""

import dataclasses
import json

import numpy as np
import pytest

from model.metrics.paired import compare_accuracies
from pipeline.training.baseline_record import BaselineRecord
from tests.pipeline.reports import made_up


def test_a_manifest_of_an_older_model_has_no_record() -> None:
    assert BaselineRecord.from_json(None) is None


def test_a_record_is_read_back_from_a_manifest() -> None:
    record = made_up.baseline()
    plain = json.loads(json.dumps(dataclasses.asdict(record), sort_keys=True))
    assert BaselineRecord.from_json(plain) == record


def compared(*, baseline_alone: int, model_alone: int) -> list[str]:
    """What is said of 1,000 documents, of which these are right by one of the two alone."""
    wrong = 1_000 - 600 - baseline_alone - model_alone
    parts = [600, baseline_alone, model_alone, wrong]
    linear = np.repeat([True, True, False, False], parts)
    model = np.repeat([True, False, True, False], parts)
    differences = {"test": compare_accuracies(linear, model)}
    return dataclasses.replace(made_up.baseline(), differences=differences).comparisons


@pytest.mark.parametrize(
    ("baseline_alone", "model_alone", "said"),
    [
        (10, 60, []),
        (30, 30, []),
        (
            40,
            30,
            [
                "The linear baseline counts as equal to this model on test: accuracy 64.0% against "
                "63.0%, 1.0 points more, but the 95 % interval (-0.6 to +2.6) includes 0."
            ],
        ),
        (
            60,
            10,
            [
                "The linear baseline is better than this model on test: accuracy 66.0% against "
                "61.0%, 5.0 points more (95 % interval +3.4 to +6.6)."
            ],
        ),
    ],
)
def test_where_the_baseline_is_better_is_said(
    baseline_alone: int, model_alone: int, said: list[str]
) -> None:
    assert compared(baseline_alone=baseline_alone, model_alone=model_alone) == said
