"""What several pages show: rejections, inputs, drift, statistics of a dataset."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self


@dataclasses.dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """One row that could not be used; `raw` holds its first bytes."""

    document_id: str | None
    source_file: str
    source_row: int
    detail: str
    raw: bytes | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class RejectionGroup:
    """All rows rejected for one reason, some of them as examples."""

    reason: str
    rows: int
    examples: Sequence[RejectedRow] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputCounts:
    """The rows of one input file or table: an item of `inputs` in a manifest.

    Attributes:
        broken: what was expected and found where a file cannot be read to its end; None if it can.
        headers_skipped: how many of its lines repeat the header. They are no rows.
    """

    file: str
    bytes: int
    rows_read: int
    rows_used: int
    rows_rejected: int
    broken: str | None = None
    headers_skipped: int = 0
    rows_repaired: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class DriftRow:
    """One item of a manifest's `drift.differences`; `noise` is the PSI expected without drift."""

    measure: str
    against: str
    psi: float
    js: float
    noise: float
    tripped: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitStatistics:
    """One split of `statistics.json`; lengths are in tokens, before truncation."""

    documents: int
    labels: Mapping[str, int]
    length_quantiles: Mapping[str, int]
    tokens: int
    oov_rate: float
    truncated_documents: int
    truncated_tokens: int
    scripts: Mapping[str, int] = dataclasses.field(default_factory=dict)  # not in older datasets
    without_label: int = 0  # documents that have only soft labels


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataStatistics:
    """What `statistics.json` says of a dataset.

    Attributes:
        labels: the label names, by index.
        vocabulary_ids: size of the vocabulary, padding and OOV buckets included.
        splits: by name, in the order train, validation, test.
        duplicates_within: rows of a split beyond the first of their text.
        duplicates_across: distinct texts that two splits share, by `"a and b"`.
        rows_repaired: rows in which U+FFFD replaces bytes that could not be decoded.
    """

    labels: Sequence[str]
    vocabulary_ids: int
    splits: Mapping[str, SplitStatistics]
    duplicates_within: Mapping[str, int]
    duplicates_across: Mapping[str, int]
    rows_repaired: int = 0

    @property
    def some_lack_labels(self) -> bool:
        """Whether a document has only soft labels."""
        return any(split.without_label for split in self.splits.values())

    @property
    def scripts(self) -> list[str]:
        """The scripts of all splits, the most frequent first."""
        totals: Counter[str] = Counter()
        for split in self.splits.values():
            totals.update(split.scripts)
        return [script for script, _ in totals.most_common()]

    @classmethod
    def from_json(cls, statistics: Mapping[str, Any]) -> Self:
        """Takes the object that `statistics.json` holds; keys that no page shows are ignored."""
        names = [field.name for field in dataclasses.fields(SplitStatistics)]
        return cls(
            labels=statistics["labels"],
            vocabulary_ids=statistics["vocabulary_ids"],
            splits={
                split: SplitStatistics(**{name: values[name] for name in names if name in values})
                for split, values in statistics["splits"].items()
            },
            duplicates_within=statistics["duplicates"]["within"],
            duplicates_across=statistics["duplicates"]["across"],
            rows_repaired=statistics.get("rows_repaired", 0),
        )
