"""Digests of texts and ids, used to find duplicates and to divide documents.

Texts are normalized first: NFKD, lower case, each run of white space as one space, without
characters that nobody sees. Texts that are equal after that have the same digest.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.schemas import DIGEST, DIGEST_BYTES

# The white space of `str.isspace`. Arrow 25.0 has a function that splits at white space, but it
# reads past the end of the last string, so a digest would depend on the memory behind it.
_SPACE = r"[\s\v\x1c-\x1f\x{85}\pZ]"
# Characters that nobody sees (Unicode's Default_Ignorable_Code_Point); the tokenizer drops them.
_IGNORABLE = (
    r"[\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}"
    r"\x{202a}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fff8}"
    r"\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]"
)
# White space other than single spaces. Few texts have it, and searching for it takes a tenth of the
# time of replacing it.
_TO_FOLD = (
    _SPACE + r"{2}|" + _IGNORABLE + r"|"
    r"[\t-\r\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
)


def normalize_texts(texts: pa.StringArray) -> pa.StringArray:
    """Texts in NFKD and lower case, without characters that nobody sees.

    A run of white space becomes one space, and none is left at the ends.
    """
    # NFKD and NFKC find the same texts equal. Arrow 25.0 omits the composition of NFKC, so its
    # NFKC is wrong.
    normalized = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKD"))
    to_fold = pc.match_substring_regex(normalized, _TO_FOLD)
    if pc.any(to_fold).as_py():
        folded = pc.replace_substring_regex(normalized.filter(to_fold), _IGNORABLE, "")
        folded = pc.replace_substring_regex(folded, f"{_SPACE}+", " ")
        normalized = pc.replace_with_mask(normalized, to_fold, folded)
    return pc.utf8_trim(normalized, " ")


def digest_strings(strings: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """A stable 16-byte hash of each string."""
    return pa.array(
        [hashlib.blake2b(each.as_buffer(), digest_size=DIGEST_BYTES).digest() for each in strings],
        DIGEST.type,
    )


def digest_normalized_texts(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """A stable 16-byte hash of each normalized text."""
    return digest_strings(normalize_texts(texts))


def add_digests(documents: pa.RecordBatch) -> pa.RecordBatch:
    """The documents with the digest of each normalized text as the last column, `digest`."""
    return documents.append_column(DIGEST, digest_normalized_texts(documents.column("text")))


def leading_integers(digests: pa.FixedSizeBinaryArray) -> np.ndarray:
    """The first eight bytes of each digest as a number, uint64 `(rows,)`."""
    packed = b"".join(digests.to_pylist())
    return np.frombuffer(packed, dtype=">u8")[:: DIGEST_BYTES // 8]


def divide_by_digest(keys: pa.RecordBatch, *, buckets: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields `(bucket, keys)`: rows with equal digests are in the same bucket.

    Args:
        keys: a batch with a column `digest`.
        buckets: the number of buckets.
    """
    if not keys.num_rows:
        return
    numbers = leading_integers(keys.column("digest")) % buckets
    order = np.argsort(numbers, kind="stable")
    ordered = keys.take(pa.array(order))
    found, starts = np.unique(numbers[order], return_index=True)
    ends = [*starts[1:], len(order)]
    for bucket, start, end in zip(found, starts, ends, strict=True):
        yield int(bucket), ordered.slice(start, end - start)
