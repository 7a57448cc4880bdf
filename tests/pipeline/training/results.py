"""Results of trials that nothing was trained for."""

from collections.abc import Mapping
from typing import Any

from pipeline.training.trial import TrialResult


def trial_result(
    *,
    metrics: Mapping[str, Any],
    variant: str = "base",
    seed: int = 1,
    right: Mapping[str, str] | None = None,
    baseline: Mapping[str, Any] | None = None,
) -> TrialResult:
    """A result with these scores, without vectors, an encoder, or a wide part."""
    return TrialResult(
        variant=variant,
        seed=seed,
        folder=f"{variant}-{seed}",
        metrics=metrics,
        right=right or {},
        epochs=1,
        best_epoch=1,
        vocabulary_ids=1,
        vectors=None,
        encoder=None,
        baseline=baseline,
        files={},
        mix=None,
    )
