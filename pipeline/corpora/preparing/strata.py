"""Stratified splits: for each label, the positions that give it the configured shares.

Where a document stands is a hash of its text (`pipeline.corpora.preparing.splits`). Counting
a label's documents by position, in `BINS` bins, tells below which position the
wanted share of them lies. A text that appears with several labels counts for the
first of them in alphabetical order, so that its copies stay on one side.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.sections import SplitsConfig
from pipeline.corpora.preparing.digests import divide
from pipeline.corpora.preparing.splits import positions
from pipeline.schemas import DIGEST

BINS = 1 << 16

STRATUM_KEYS = pa.schema([DIGEST, pa.field("label", pa.string()), pa.field("bin", pa.int32())])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Strata:
    """Where the splits of each label end.

    Attributes:
        shares: what documents of a label that is not here get.
        bounds: by label, the positions where validation and test end.
        ambiguous: the label that decides, by digest of a text that has several.
    """

    shares: SplitsConfig
    bounds: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    ambiguous: Mapping[bytes, str] = dataclasses.field(default_factory=dict)

    def bounds_of(self, documents: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """Where validation and test end for each document, float64 `(rows,)` each."""
        labels = documents.column("label").to_pylist()
        if self.ambiguous:
            labels = list(map(self.ambiguous.get, documents.column("digest").to_pylist(), labels))
        default = (self.shares.validation, self.shares.validation + self.shares.test)
        found = [self.bounds.get(label, default) for label in labels]
        validation, test = np.array(found, np.float64).reshape(-1, 2).T
        return validation, test

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        ambiguous = {digest.hex(): label for digest, label in self.ambiguous.items()}
        return {"bounds": self.bounds, "ambiguous": ambiguous}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, shares: SplitsConfig) -> Self:
        """Strata as `to_json` gave them."""
        return cls(
            shares=shares,
            bounds={label: (low, high) for label, (low, high) in values["bounds"].items()},
            ambiguous={bytes.fromhex(key): label for key, label in values["ambiguous"].items()},
        )


def key_strata(
    documents: pa.RecordBatch, *, divide_training: bool, buckets: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields `(bucket, keys)`: the documents that the hash is to divide, by digest.

    Args:
        documents: from `add_digests`.
        divide_training: as for `assign_splits`.
        buckets: how many there are.
    """
    given = documents.column("split")
    divided = given.is_null()
    if divide_training:
        divided = pc.or_(divided, pc.fill_null(pc.equal(given, "train"), False))
    chosen = documents.filter(pc.and_(divided, documents.column("label").is_valid()))
    bins = (positions(chosen) * BINS).astype(np.int32)
    keys = pa.record_batch(
        [chosen.column("digest"), chosen.column("label"), pa.array(bins)], schema=STRATUM_KEYS
    )
    yield from divide(keys, buckets=buckets)


def count_strata(keys: Iterable[pa.RecordBatch]) -> dict[str, Any]:
    """Counts the documents of one bucket: `{"bins": {label: {bin: n}}, "ambiguous": ..}`."""
    table = pa.Table.from_batches(keys, STRATUM_KEYS)
    per_text = table.group_by(["digest", "bin"]).aggregate(
        [("label", "min"), ("label", "count_distinct"), ("label", "count")]
    )
    counts: dict[str, Any] = {"bins": {}, "ambiguous": {}}
    for text in per_text.to_pylist():
        of_label = counts["bins"].setdefault(text["label_min"], {})
        of_label[str(text["bin"])] = of_label.get(str(text["bin"]), 0) + text["label_count"]
        if text["label_count_distinct"] > 1:
            counts["ambiguous"][text["digest"].hex()] = text["label_min"]
    return counts


def find_strata(counts: Mapping[str, Any], *, shares: SplitsConfig) -> Strata:
    """The bounds that come nearest to the shares, from the sum of `count_strata`.

    However few documents a label has, some of them stay for training.
    """
    bounds = {}
    for label, histogram in counts.get("bins", {}).items():
        bins = np.array(sorted(map(int, histogram)))
        rows = np.array([histogram[str(each)] for each in bins])
        # The documents below each edge: 0, and the end of every bin but the last.
        below = np.cumsum([0, *rows[:-1]])
        edges = np.array([0, *(bins[:-1] + 1)]) / BINS
        wanted = rows.sum() * np.array([shares.validation, shares.validation + shares.test])
        validation, test = (edges[np.abs(below - each).argmin()] for each in wanted)
        bounds[label] = (float(validation), float(test))
    ambiguous = counts.get("ambiguous", {})
    return Strata.from_json({"bounds": bounds, "ambiguous": ambiguous}, shares=shares)
