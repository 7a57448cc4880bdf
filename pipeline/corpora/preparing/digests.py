"""Digests of texts and ids: documents are compared and divided by them.

Texts are normalized first: NFKD, lower-casing and folding of white space, so texts
that differ only in those have one digest.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.schemas import DIGEST, DIGEST_BYTES

# White space as `str.isspace` has it. (Arrow 25.0 has a function that splits at it, which reads
# past the end of the last string: a text's digest then depended on what lay there.)
_SPACE = r"[\s\v\x1c-\x1f\x{85}\pZ]"
# What is not already single and a blank: few texts have some, and looking for it takes a tenth of
# replacing it.
_TO_FOLD = (
    _SPACE + r"{2}"
    r"|[\t-\r\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
)


def normalize_texts(texts: pa.StringArray) -> pa.StringArray:
    """NFKD, lower case, runs of white space as one space, none at the ends."""
    # NFKD tells the same texts apart as NFKC, which Arrow does not compose (25.0).
    normalized = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKD"))
    to_fold = pc.match_substring_regex(normalized, _TO_FOLD)
    if pc.any(to_fold).as_py():
        folded = pc.replace_substring_regex(normalized.filter(to_fold), f"{_SPACE}+", " ")
        normalized = pc.replace_with_mask(normalized, to_fold, folded)
    return pc.utf8_trim(normalized, " ")


def digest_strings(strings: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """A stable 16-byte hash of each string."""
    return pa.array(
        [hashlib.blake2b(each.as_buffer(), digest_size=DIGEST_BYTES).digest() for each in strings],
        DIGEST.type,
    )


def digest_texts(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """A stable 16-byte hash of each normalized text."""
    return digest_strings(normalize_texts(texts))


def add_digests(documents: pa.RecordBatch) -> pa.RecordBatch:
    """The documents with the digests of their texts as the last column."""
    return documents.append_column(DIGEST, digest_texts(documents.column("text")))


def leading_words(digests: pa.FixedSizeBinaryArray) -> np.ndarray:
    """The first eight bytes of each digest as a number, uint64 `(rows,)`."""
    packed = b"".join(digests.to_pylist())
    return np.frombuffer(packed, dtype=">u8")[:: DIGEST_BYTES // 8]


def divide(keys: pa.RecordBatch, *, buckets: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields `(bucket, keys)`: the rows by digest, so that equal ones come together.

    Args:
        keys: with a column `digest`.
        buckets: how many there are.
    """
    if not keys.num_rows:
        return
    numbers = leading_words(keys.column("digest")) % buckets
    order = np.argsort(numbers, kind="stable")
    ordered = keys.take(pa.array(order))
    found, starts = np.unique(numbers[order], return_index=True)
    ends = [*starts[1:], len(order)]
    for bucket, start, end in zip(found, starts, ends, strict=True):
        yield int(bucket), ordered.slice(start, end - start)
