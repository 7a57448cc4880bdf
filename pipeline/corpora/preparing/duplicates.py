"""Duplicates: ids and texts that appear more than once.

Rows are compared by digest. Equal digests are in the same bucket, and one worker compares a
bucket, so the corpus need not fit in the memory of one worker.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.inputs import SPLITS
from pipeline.corpora.preparing.digests import digest_strings, divide_by_digest
from pipeline.corpora.reading.units import Unit
from pipeline.schemas import DIGEST

DOCUMENT_KEYS = pa.schema(
    [
        DIGEST,
        pa.field("split", pa.string()),
        pa.field("source_file", pa.string()),
        pa.field("source_row", pa.int64()),
    ]
)

# The rows to reject: all but the first row of each document id.
REPEATED_ROWS = pa.schema([DOCUMENT_KEYS.field("source_file"), DOCUMENT_KEYS.field("source_row")])


def key_buckets(units: Sequence[Unit]) -> int:
    """The number of buckets; a bucket then has about as many keys as a unit has rows."""
    return min(max(len(units), 8), 1 << 16)


def key_documents(
    documents: pa.RecordBatch, *, buckets: int
) -> Iterator[tuple[tuple[str, int], pa.RecordBatch]]:
    """Yields `((kind, bucket), keys)` for a batch; `kind` is `id` or `text`.

    Args:
        documents: from `add_digests`, with splits assigned.
        buckets: the number of buckets of each kind.
    """
    ids = digest_strings(documents.column("document_id"))
    for kind, digests in (("id", ids), ("text", documents.column("digest"))):
        rest = (documents.column(name) for name in DOCUMENT_KEYS.names[1:])
        keys = pa.record_batch([digests, *rest], schema=DOCUMENT_KEYS)
        for bucket, of_bucket in divide_by_digest(keys, buckets=buckets):
            yield (kind, bucket), of_bucket


def find_repeated_ids(keys: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of one bucket that repeat the document id of an earlier row of the corpus.

    Returns:
        A batch of schema `REPEATED_ROWS`. The first row of each id, by file and row, is not in it.
    """
    table = pa.Table.from_batches(keys, DOCUMENT_KEYS).combine_chunks()
    # Rows with equal digests become neighbors; the earliest row comes first.
    table = table.sort_by(
        [("digest", "ascending"), ("source_file", "ascending"), ("source_row", "ascending")]
    )
    digests = table.column("digest").combine_chunks()
    if len(digests) < 2:
        return pa.RecordBatch.from_pylist([], REPEATED_ROWS)
    repeated = pc.equal(digests.slice(1), digests.slice(0, len(digests) - 1))
    later = table.select(REPEATED_ROWS.names).slice(1).filter(repeated).combine_chunks()
    batches = later.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], REPEATED_ROWS)


def count_repeated_texts(keys: Iterable[pa.RecordBatch]) -> dict[str, Any]:
    """Counts the duplicate texts of one bucket.

    Returns:
        `{"within": {split: n}, "across": {"a and b": n}}`: `within` counts the rows of a split
        that repeat a text of the same split; `across` counts the distinct texts that two splits
        share.
    """
    table = pa.Table.from_batches(keys, DOCUMENT_KEYS)
    per_split = table.group_by(["digest", "split"]).aggregate([([], "count_all")])
    within: Counter[str] = Counter()
    for split, count in _pairs(per_split, "split", "count_all"):
        within[split] += count - 1
    across: Counter[str] = Counter()
    splits = per_split.group_by("digest").aggregate([("split", "list"), ("split", "count")])
    shared = splits.filter(pc.greater(splits.column("split_count"), 1))
    for names in shared.column("split_list").to_pylist():
        ordered = sorted(names, key=_split_order)
        for position, first in enumerate(ordered):
            for second in ordered[position + 1 :]:
                across[f"{first} and {second}"] += 1
    return {
        "within": {split: count for split, count in within.items() if count},
        "across": dict(across),
    }


def _pairs(table: pa.Table, first: str, second: str) -> Iterator[tuple[Any, Any]]:
    return zip(table.column(first).to_pylist(), table.column(second).to_pylist(), strict=True)


def _split_order(split: str) -> int:
    return [str(each) for each in SPLITS].index(split)
