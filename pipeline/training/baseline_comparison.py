"""Compares the model of a run with the linear baseline of the same run."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.metrics.packed_flags import unpack_flags
from model.metrics.paired import compare_accuracies
from model.training.samples import spread_rows
from pipeline.training.baseline_record import BaselineRecord
from pipeline.training.trial import TrialResult, single_numbers


def fitted_baseline(results: Sequence[TrialResult]) -> Mapping[str, Any] | None:
    """The baseline of a run: the result of `measure_trial_baseline` of its first trial."""
    return next((result.baseline for result in results if result.baseline is not None), None)


def compare_with_baseline(
    results: Sequence[TrialResult], best: TrialResult
) -> BaselineRecord | None:
    """Compares the model that is published with the baseline of its run, if that has one."""
    fitted = fitted_baseline(results)
    if fitted is None or "skipped" in fitted:
        return None if fitted is None else BaselineRecord(skipped=fitted["skipped"])
    differences = {}
    for split, evaluation in fitted["evaluations"].items():
        rows = best.metrics[split]["rows"]
        measured = spread_rows(rows, evaluation["rows"])
        differences[split] = compare_accuracies(
            unpack_flags(fitted["right"][split], rows=evaluation["rows"]),
            unpack_flags(best.right[split], rows=rows)[measured],
        )
    return BaselineRecord(
        terms=fitted["terms"],
        strength=fitted["C"],
        seconds=fitted["seconds"],
        notes=fitted["notes"],
        scores={split: single_numbers(each) for split, each in fitted["evaluations"].items()},
        differences=differences,
    )
