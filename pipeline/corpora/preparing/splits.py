"""Splits: given by file or column, else a stable hash of the text or of a group."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.sections import CorpusConfig
from pipeline.corpora.preparing.digests import digest_strings, leading_words


def takes_validation_from_training(corpus: CorpusConfig) -> bool:
    """Whether a given training split comes alone and yields a validation part.

    A split column is trusted as it is; so are inputs of which one is the
    validation split.
    """
    given = {item.split for item in corpus.inputs}
    return "train" in given and "validation" not in given and corpus.columns.split is None


def positions(documents: pa.RecordBatch) -> np.ndarray:
    """Where the hash puts documents, in [0, 1), float64 `(rows,)`.

    Equal texts have equal positions; with groups, so have documents of a group.

    Args:
        documents: from `add_digests`.
    """
    digests = documents.column("digest")
    groups = documents.column("group")
    if groups.null_count < len(groups):
        known = groups.is_valid()
        digests = pc.replace_with_mask(digests, known, digest_strings(groups.drop_null()))
    # 53 bits are what a float64 holds exactly; rounding up to 1.0 cannot happen.
    return (leading_words(digests) >> np.uint64(11)) / float(1 << 53)


def assign_splits(
    documents: pa.RecordBatch,
    *,
    validation: np.ndarray | float,
    test: np.ndarray | float,
    divide_training: bool,
) -> pa.RecordBatch:
    """Fills the `split` column of documents that have none.

    Args:
        documents: from `add_digests`; with `split` null where neither a file nor a
            column gave one.
        validation: the positions below which documents are of validation, one for
            all or one a document.
        test: the positions from there on, below which they are of test.
        divide_training: also takes validation out of a given training split (see
            `takes_validation_from_training`).
    """
    position = positions(documents)
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
