"""The linear baseline of a run: fitted by one trial, beside which every model is shown."""

import logging
from collections.abc import Mapping
from typing import Any

from model.config import BASE_VARIANT
from model.metrics.packed_flags import pack_flags
from model.text.vocabulary import Vocabulary
from model.training.baseline.linear_baseline import BaselineSkipped, fit_linear_baseline
from model.training.examples import Examples
from pipeline.config.inputs import UNLABELED
from pipeline.training.trial import Trial

logger = logging.getLogger("limelight")


def measure_trial_baseline(
    trial: Trial, examples: Mapping[str, Examples], *, vocabulary: Vocabulary
) -> dict[str, Any] | None:
    """Fits and measures the baseline in the first trial of the base variant.

    It is the same for all trials of a run, because they have one dataset.

    Returns:
        What `TrialResult.baseline` holds; None in other trials and where `training.baseline` is
        none.
    """
    config = trial.config.training
    first = trial.variant == BASE_VARIANT and trial.seed == config.seeds[0]
    if config.baseline == "none" or not first:
        return None
    try:
        fitted = fit_linear_baseline(
            {split: each for split, each in examples.items() if split != UNLABELED},
            vocabulary=vocabulary,
            cut=trial.config.text.cut,
            labels=trial.dataset.labels,
            config=config,
        )
    except BaselineSkipped as reason:
        return {"skipped": str(reason)}
    except MemoryError:
        return {"skipped": "this machine has not enough memory"}
    for split, measured in fitted.evaluations.items():
        logger.info("linear baseline: accuracy %.4f on %s", measured["accuracy"], split)
    return {
        "terms": "words 1-2 and characters 2-5" if fitted.characters else "words 1-2",
        "C": fitted.strength,
        "seconds": fitted.seconds,
        "notes": list(fitted.notes),
        "evaluations": dict(fitted.evaluations),
        "right": {split: pack_flags(each) for split, each in fitted.right.items()},
    }
