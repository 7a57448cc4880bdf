"""Stratified splits: of each label, every split gets the configured share of documents.

The position of a document is a hash of its text (`pipeline.corpora.preparing.splits`). The
documents of each label are counted by position, in `BINS` bins; the counts give the position below
which the configured share of the documents lies. A text that appears with several labels counts for
the first label in alphabetical order, so that all its copies get the same split.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.sections import SplitsConfig
from pipeline.corpora.preparing.digests import divide_by_digest
from pipeline.corpora.preparing.splits import split_positions
from pipeline.corpora.reading.counts import add_counts
from pipeline.schemas import DIGEST

BINS = 1 << 16

STRATUM_KEYS = pa.schema([DIGEST, pa.field("label", pa.string()), pa.field("bin", pa.int32())])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Strata:
    """The positions where the splits of each label end.

    Attributes:
        shares: the configured shares; they set the bounds of a label that is not in `bounds`.
        bounds: the positions where validation and test end, by label.
        ambiguous: for each text with several labels, the label whose bounds apply, by the digest
            of the text.
    """

    shares: SplitsConfig
    bounds: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    ambiguous: Mapping[bytes, str] = dataclasses.field(default_factory=dict)

    def bounds_of(self, documents: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """The positions where validation and test end for each document, float64 `(rows,)` each."""
        labels = documents.column("label").to_pylist()
        if self.ambiguous:
            labels = list(map(self.ambiguous.get, documents.column("digest").to_pylist(), labels))
        default = (self.shares.validation, self.shares.validation + self.shares.test)
        found = [self.bounds.get(label, default) for label in labels]
        validation, test = np.array(found, np.float64).reshape(-1, 2).T
        return validation, test

    def to_json(self) -> dict[str, Any]:
        """The bounds and the ambiguous texts as values for JSON."""
        ambiguous = {digest.hex(): label for digest, label in self.ambiguous.items()}
        return {"bounds": self.bounds, "ambiguous": ambiguous}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, shares: SplitsConfig) -> Self:
        """Restores what `to_json` returned; `shares` come from the configuration."""
        return cls(
            shares=shares,
            bounds={label: (low, high) for label, (low, high) in values["bounds"].items()},
            ambiguous={bytes.fromhex(key): label for key, label in values["ambiguous"].items()},
        )


def key_strata(
    documents: pa.RecordBatch, *, divide_training: bool, buckets: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields `(bucket, keys)` of schema `STRATUM_KEYS` for the documents that are split by hash.

    Args:
        documents: from `add_digests`.
        divide_training: as for `assign_splits`.
        buckets: the number of buckets.
    """
    given = documents.column("split")
    divided = given.is_null()
    if divide_training:
        divided = pc.or_(divided, pc.fill_null(pc.equal(given, "train"), False))
    chosen = documents.filter(pc.and_(divided, documents.column("label").is_valid()))
    bins = (split_positions(chosen) * BINS).astype(np.int32)
    keys = pa.record_batch(
        [chosen.column("digest"), chosen.column("label"), pa.array(bins)], schema=STRATUM_KEYS
    )
    yield from divide_by_digest(keys, buckets=buckets)


def count_strata(keys: Iterable[pa.RecordBatch]) -> dict[str, Any]:
    """Counts the documents of one bucket by label and position.

    Returns:
        `{"bins": {label: {bin: n}}, "ambiguous": {digest: label}}`; `ambiguous` holds the texts
        with several labels, each with the label that it counts for.
    """
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


def add_strata_counts(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Adds the counts of buckets; a text is in one bucket only, so no `ambiguous` key repeats."""
    counts = list(parts)
    ambiguous = {
        digest: label for each in counts for digest, label in each.get("ambiguous", {}).items()
    }
    return {"bins": add_counts(each.get("bins", {}) for each in counts), "ambiguous": ambiguous}


def find_strata(counts: Mapping[str, Any], *, shares: SplitsConfig) -> Strata:
    """The bounds that come nearest to the shares.

    Every label keeps at least one document in the training split, even if it has few. A split whose
    share is not 0 gets a document if some label has one to spare.

    Args:
        counts: from `add_strata_counts`.
        shares: the configured shares.
    """
    bins = {
        label: np.array(sorted(map(int, histogram)))
        for label, histogram in sorted(counts.get("bins", {}).items())
    }
    # The edges of a label are 0 and the end of every bin but the last one, so that documents of the
    # last bin stay in the training split. `below` counts the documents below each edge.
    below, totals = {}, {}
    for label, of_label in bins.items():
        rows = [counts["bins"][label][str(each)] for each in of_label]
        below[label] = np.cumsum([0, *rows[:-1]])
        totals[label] = sum(rows)
    ends = {}
    for label, (validation, test) in share_out(totals, shares).items():
        first = _nearest(below[label], validation)
        ends[label] = [first, max(first, _nearest(below[label], below[label][first] + test))]
    _fill_empty_splits(ends, below, shares)
    bounds = {}
    for label, found in ends.items():
        edges = np.array([0, *(bins[label][:-1] + 1)]) / BINS
        bounds[label] = (float(edges[found[0]]), float(edges[found[1]]))
    ambiguous = counts.get("ambiguous", {})
    return Strata.from_json({"bounds": bounds, "ambiguous": ambiguous}, shares=shares)


def share_out(totals: Mapping[str, int], shares: SplitsConfig) -> dict[str, tuple[int, int]]:
    """How many documents of each label should go to validation and to test.

    Each share is rounded to the nearest document. A label with less than half a document of a split
    gives it one all the same when the shares of such labels, added up in alphabetical order, reach
    the next half: of 60 labels with 3 documents each, 18 give one to a split of 10 %.

    Args:
        totals: the documents of each label.
        shares: the configured shares.
    """
    shared = {}
    owed = np.zeros(2)
    for label, total in sorted(totals.items()):
        wanted = total * np.array([shares.validation, shares.test])
        given = np.floor(wanted + 0.5).astype(int)
        while given.sum() >= total:  # one document stays in train
            given[(given - wanted + (given > 0)).argmax()] -= 1
        small = wanted < 0.5
        owed += np.where(small, wanted, 0)
        most = int(np.where(small, owed, 0).argmax())
        if small[most] and owed[most] >= 0.5 and given.sum() < total - 1:
            given[most] += 1
            owed[most] -= 1
        shared[label] = (int(given[0]), int(given[1]))
    return shared


def _nearest(below: np.ndarray, documents: int) -> int:
    """The edge that comes nearest to so many documents below it."""
    return int(np.abs(below - documents).argmin())


def _fill_empty_splits(
    ends: dict[str, list[int]], below: Mapping[str, np.ndarray], shares: SplitsConfig
) -> None:
    """Moves an edge for each split that has a share and no document, if a label has one left.

    Args:
        ends: for each label, the edges where validation and test end.
        below: for each label, the documents below each edge.
        shares: the configured shares.
    """
    for split, share in enumerate((shares.validation, shares.test)):
        empty = all(found[split] == (found[0] if split else 0) for found in ends.values())
        spare = {label: len(below[label]) - 1 - found[1] for label, found in ends.items()}
        if share and empty and any(spare.values()):
            label = max(spare, key=lambda name: spare[name])
            for end in range(split, 2):
                ends[label][end] += 1
