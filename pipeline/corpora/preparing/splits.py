"""Splits: set by an input or a column, otherwise by a stable hash of the text or the group."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.preparing.digests import digest_strings, leading_integers


def takes_validation_from_training(corpus: CorpusConfig) -> bool:
    """Whether the validation split is taken from a given training split.

    This is so if an input is the training split, none is the validation split, and no column
    gives the splits.
    """
    given = {item.split for item in corpus.inputs}
    return "train" in given and "validation" not in given and corpus.columns.split is None


def split_positions(documents: pa.RecordBatch) -> np.ndarray:
    """The hash of each document as a number in [0, 1), float64 `(rows,)`.

    Documents of one group have equal positions. Documents without a group have equal positions if
    their normalized texts are equal.

    Args:
        documents: from `add_digests`.
    """
    digests = documents.column("digest")
    groups = documents.column("group")
    if groups.null_count < len(groups):
        known = groups.is_valid()
        digests = pc.replace_with_mask(digests, known, digest_strings(groups.drop_null()))
    # A float64 holds 53 bits exactly, so no position is rounded up to 1.0.
    return (leading_integers(digests) >> np.uint64(11)) / float(1 << 53)


def assign_splits(
    documents: pa.RecordBatch,
    *,
    validation: np.ndarray | float,
    test: np.ndarray | float,
    divide_training: bool,
) -> pa.RecordBatch:
    """Fills the `split` column of documents that have none.

    Args:
        documents: from `add_digests`; `split` is null if neither the input nor a column gave one.
        validation: the position where the validation split ends: one number, or one for each
            document. The split begins at position 0.
        test: the position where the test split ends, also one number or one for each document.
            The test split begins where validation ends; the training split follows it.
        divide_training: also moves documents of a given training split to validation (see
            `takes_validation_from_training`).
    """
    position = split_positions(documents)
    given = documents.column("split")
    below = position < validation
    hashed = np.where(below, "validation", np.where(position < test, "test", "train"))
    split = pc.coalesce(given, pa.array(hashed, pa.string()))
    if divide_training:
        moved = pc.and_(pc.fill_null(pc.equal(given, "train"), False), pa.array(below))
        split = pc.if_else(moved, "validation", split)
    return documents.set_column(
        documents.schema.get_field_index("split"), documents.schema.field("split"), split
    )
