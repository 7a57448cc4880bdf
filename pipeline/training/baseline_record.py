"""The linear baseline beside a model: its scores, and where it is better than the model."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model.metrics.paired import AccuracyDifference
from pipeline.config.inputs import SPLITS


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineRecord:
    """The `baseline` of a model's manifest.

    Attributes:
        skipped: why there is none, as a clause; then all that follows is empty.
        terms: which terms it counts.
        strength: C of its logistic regression.
        seconds: how long it took to tune, fit and measure it.
        notes: sentences on what was left out to bound the time, and on what was not tuned.
        scores: the metrics that are single numbers, by split.
        differences: by split, the accuracy of the baseline compared with that of the model.
    """

    skipped: str | None = None
    terms: str = ""
    strength: float = 0.0
    seconds: float = 0.0
    notes: Sequence[str] = ()
    scores: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    differences: Mapping[str, AccuracyDifference] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any] | None) -> "BaselineRecord | None":
        """Takes the `baseline` of a manifest; manifests of older models have none."""
        if plain is None:
            return None
        differences = {
            split: AccuracyDifference(**each) for split, each in plain["differences"].items()
        }
        return cls(**{**plain, "differences": differences})

    @property
    def description(self) -> str:
        """What it is, or why there is none: a sentence."""
        if self.skipped is not None:
            return f"There is no linear baseline, because {self.skipped}."
        return (
            f"The linear baseline is TF-IDF ({self.terms}) with logistic regression "
            f"(C = {self.strength:g}); it took {self.seconds:.1f} s."
        )

    @property
    def sentences(self) -> list[str]:
        """What it is, what was left out, and where it is better than the model."""
        return [self.description, *self.notes, *self.comparisons]

    def rows(self) -> dict[str, Mapping[str, float]]:
        """Its scores as rows of a table, below those of the model."""
        splits = [split for split in SPLITS if split in self.scores]
        return {f"{split}, linear baseline": self.scores[split] for split in splits}

    @property
    def comparisons(self) -> list[str]:
        """A sentence for every split on which the baseline has the higher accuracy."""
        return list(self._compare())

    def _compare(self) -> Iterator[str]:
        for split in SPLITS:
            found = self.differences.get(split)
            if found is None or found.difference <= 0:
                continue
            points = f"{100 * found.difference:.1f} points"
            interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
            scores = f"accuracy {found.accuracy:.1%} against {found.other_accuracy:.1%}"
            if found.low > 0:
                yield (
                    f"The linear baseline is better than this model on {split}: {scores}, "
                    f"{points} more (95 % interval {interval})."
                )
            else:
                yield (
                    f"The linear baseline counts as equal to this model on {split}: {scores}, "
                    f"{points} more, but the 95 % interval ({interval}) includes 0."
                )
