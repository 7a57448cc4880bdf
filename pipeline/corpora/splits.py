"""Splits: given by file or column, else a stable hash of the normalized text.

The hash sees the text after NFKD, lower-casing and folding of white space, so
texts that differ only in those fall on the same side of every split.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import CorpusConfig, SplitsConfig

DIGEST_BYTES = 16

# As `str.isspace` has it; RE2's \s is a part of ASCII's alone.
WHITE_SPACE = r"[\s\v\x1c-\x1f\x{85}\pZ]+"


def normalize_texts(texts: pa.StringArray) -> pa.StringArray:
    """NFKD, lower case, runs of white space as one space, none at the ends."""
    # NFKD tells the same texts apart as NFKC, which Arrow does not compose (25.0).
    normalized = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKD"))
    return pc.utf8_trim(pc.replace_substring_regex(normalized, WHITE_SPACE, " "), " ")


def digest_texts(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """A stable 16-byte hash of each normalized text."""
    normalized = normalize_texts(texts)
    return pa.array(
        [
            hashlib.blake2b(text.as_buffer(), digest_size=DIGEST_BYTES).digest()
            for text in normalized
        ],
        pa.binary(DIGEST_BYTES),
    )


def takes_validation_from_training(corpus: CorpusConfig) -> bool:
    """Whether a given training split comes alone and yields a validation part.

    A split column is trusted as it is; so are inputs of which one is the
    validation split.
    """
    given = {item.split for item in corpus.inputs}
    return "train" in given and "validation" not in given and corpus.columns.split is None


def assign_splits(
    documents: pa.RecordBatch,
    digests: pa.FixedSizeBinaryArray,
    *,
    shares: SplitsConfig,
    divide_training: bool,
) -> pa.RecordBatch:
    """Fills the `split` column of documents that have none.

    Args:
        documents: with `split` null where neither a file nor a column gave one.
        digests: from `digest_texts`; equal texts get equal splits.
        shares: of validation and test among the documents without a split.
        divide_training: also takes `shares.validation` out of a given training
            split (see `takes_validation_from_training`).
    """
    position = _uniform(digests)
    given = documents.column("split")
    hashed = np.where(
        position < shares.validation,
        "validation",
        np.where(position < shares.validation + shares.test, "test", "train"),
    )
    split = pc.coalesce(given, pa.array(hashed, pa.string()))
    if divide_training:
        moved = pc.and_(
            pc.fill_null(pc.equal(given, "train"), False),
            pa.array(position < shares.validation),
        )
        split = pc.if_else(moved, "validation", split)
    return documents.set_column(
        documents.schema.get_field_index("split"), documents.schema.field("split"), split
    )


def _uniform(digests: pa.FixedSizeBinaryArray) -> np.ndarray:
    """A number in [0, 1) a digest, float64 `(rows,)`."""
    packed = b"".join(digests.to_pylist())
    leading = np.frombuffer(packed, dtype=">u8")[:: DIGEST_BYTES // 8]
    # 53 bits are what a float64 holds exactly; rounding up to 1.0 cannot happen.
    return (leading >> np.uint64(11)) / float(1 << 53)
