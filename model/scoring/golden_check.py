"""The self-test of a scorer: golden documents must get the predictions stored in the bundle."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from model.bundle.errors import BundleError
from model.bundle.golden import GoldenDocument
from model.scoring.scorer import Scorer

# The largest difference from the stored predictions that is accepted.
GOLDEN_TOLERANCE = 1e-4


def make_golden(scorer: Scorer, texts: Sequence[str]) -> list[GoldenDocument]:
    """Scores texts into golden documents; texts without a token are left out."""
    batch, scored = scorer.score(pa.array(texts, pa.string()))
    kept = [text for text, use in zip(texts, scored, strict=True) if use]
    return [
        GoldenDocument(text=text, probabilities=probabilities, attention=attention)
        for text, probabilities, attention in zip(
            kept,
            batch.column("probabilities").to_pylist(),
            batch.column("attention").to_pylist(),
            strict=True,
        )
    ]


def verify_golden(scorer: Scorer, golden: Sequence[GoldenDocument], *, engine: str) -> None:
    """Rescores golden documents on this machine and compares the predictions.

    Raises:
        BundleError: if a probability or an attention weight differs by more than 1e-4 from
            the stored one; the message names `engine`.
    """
    if not golden:
        return
    batch, _ = scorer.score(pa.array([item.text for item in golden], pa.string()))
    for name in ("probabilities", "attention"):
        expected = np.concatenate([np.asarray(getattr(item, name)) for item in golden])
        got = batch.column(name).flatten().to_numpy()
        difference = np.abs(expected - got).max() if expected.shape == got.shape else np.inf
        if not np.isfinite(difference):
            raise BundleError(
                f"{scorer.bundle.folder}: expected the golden documents' {name}, got other tokens "
                "or values that are no numbers: the model is damaged. Train it again."
            )
        if difference > GOLDEN_TOLERANCE:
            raise BundleError(
                f"{scorer.bundle.folder}: expected the golden documents' {name} within "
                f"{GOLDEN_TOLERANCE:g}, got a difference of {difference:g} with the {engine} "
                "engine. Do not trust this model with this engine on this machine: try "
                f"--set scoring.engine={'keras' if engine == 'folded' else 'folded'}, or train it "
                "again."
            )
