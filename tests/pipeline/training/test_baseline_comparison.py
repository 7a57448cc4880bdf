"""The model of a run is compared with the linear baseline of its first trial."""

import numpy as np

from model.metrics.packed_flags import pack_flags
from model.metrics.paired import compare_accuracies
from pipeline.training.baseline_comparison import compare_with_baseline
from pipeline.training.trial import TrialResult
from tests.pipeline.training.results import trial_result


def result(*, seed: int, right: np.ndarray, baseline: dict[str, object] | None) -> TrialResult:
    return trial_result(
        seed=seed,
        metrics={"test": {"rows": len(right), "accuracy": right.mean()}},
        right={"test": pack_flags(right)},
        baseline=baseline,
    )


def fitted(right: np.ndarray) -> dict[str, object]:
    measured = {"rows": len(right), "accuracy": right.mean(), "confusion": [[1]]}
    return {
        "terms": "words 1-2",
        "C": 4.0,
        "seconds": 1.0,
        "notes": [],
        "evaluations": {"test": measured},
        "right": {"test": pack_flags(right)},
    }


def test_the_published_model_is_compared_with_the_baseline_of_the_first_trial() -> None:
    rng = np.random.default_rng(1)
    linear, first, best = (rng.random(101) < share for share in (0.7, 0.5, 0.9))
    results = [
        result(seed=1, right=first, baseline=fitted(linear)),
        result(seed=2, right=best, baseline=None),
    ]
    record = compare_with_baseline(results, results[1])
    assert record is not None
    assert record.differences == {"test": compare_accuracies(linear, best)}
    assert record.scores == {"test": {"rows": 101, "accuracy": linear.mean()}}


def test_a_baseline_that_was_measured_on_some_documents_is_compared_on_them() -> None:
    best = np.arange(100) % 2 == 0
    results = [result(seed=1, right=best, baseline=fitted(np.ones(50, bool)))]
    record = compare_with_baseline(results, results[0])
    assert record is not None
    found = record.differences["test"]
    # Every other document was measured, and the model is right on exactly those.
    assert (found.documents, found.difference) == (50, 0)


def test_a_run_without_a_baseline_has_no_record() -> None:
    results = [result(seed=1, right=np.ones(3, bool), baseline=None)]
    assert compare_with_baseline(results, results[0]) is None


def test_why_there_is_no_baseline_is_said() -> None:
    skipped: dict[str, object] = {"skipped": "all training documents have the same label"}
    results = [result(seed=1, right=np.ones(3, bool), baseline=skipped)]
    record = compare_with_baseline(results, results[0])
    assert record is not None
    assert record.rows() == {}
    assert record.sentences == [
        "There is no linear baseline, because all training documents have the same label."
    ]
