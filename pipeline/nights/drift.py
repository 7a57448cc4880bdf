"""Drift: compares the profile of a run with those of training and of earlier nights.

`stages.run_checks` enforces `drift.on_drift: block`, and `stages.score` reports `alert`.
"""

import dataclasses
from typing import Any

from model.bundle.bundle import Bundle
from pipeline.config.sections import DriftConfig
from pipeline.corpora.reading.counts import add_counts
from pipeline.corpora.scoring.corpus_profile import MEASURES
from pipeline.corpora.scoring.profile_differences import ProfileDifference, compare_profiles
from pipeline.nights.history import published_manifests
from pipeline.nights.partition import Partition
from pipeline.process.told_apart import told_apart
from pipeline.storage.files import Files
from pipeline.storage.manifest import Manifest


def measure_drift(
    run: Manifest, config: DriftConfig, bundle: Bundle, *, partition: Partition, files: Files
) -> dict[str, Any]:
    """The `drift` of a manifest.

    Returns:
        `differences` from `training` (the model's profile of its validation documents) and
        from `nights` (the last nights that the same model scored); `warnings`, one sentence for
        each difference above its limit.
    """
    profile = run.extra["profile"]
    differences: list[ProfileDifference] = []
    # There is none if the model is from an earlier release or had no validation split.
    reference = bundle.read_profile()
    if reference is not None:
        differences += compare_profiles(profile, reference, against="training")
    nights = [
        manifest["profile"]
        for manifest in published_manifests(files, partition, nights=config.nights)
        if manifest.get("model_fingerprint") == run.extra["model_fingerprint"]
        and manifest.get("profile")
    ]
    if nights:
        differences += compare_profiles(profile, add_counts(nights), against="nights")
    return {
        "differences": [
            {**dataclasses.asdict(item), "tripped": item.exceeds(config.max_psi)}
            for item in differences
        ],
        "warnings": [
            _describe(item, max_psi=config.max_psi)
            for item in differences
            if item.exceeds(config.max_psi)
        ],
    }


def _describe(difference: ProfileDifference, *, max_psi: float) -> str:
    """One sentence that names the measure, its PSI and the limit."""
    than = {"training": "in training", "nights": "in the last nights"}[difference.against]
    psi, limit = told_apart(difference.psi, max_psi + difference.noise)
    return (
        f"The {MEASURES[difference.measure]} are distributed differently than {than}: PSI "
        f"{psi}, expected at most {limit} (drift.max_psi "
        f"{max_psi:g} plus {difference.noise:.2f} that chance can explain)."
    )
