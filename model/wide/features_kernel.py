"""The compiled loops of the wide part: hashed n-grams, features counted in a document, their sums.

Hashes are multiplications modulo 2**64 by an odd constant, of which the highest bits are taken
(Knuth, The Art of Computer Programming, volume 3, section 6.4). `model.scoring.wide_graph` computes
the same hashes in TensorFlow, and models are trained with their buckets: they must never change.
"""

import numpy as np

from model.runtime.compilation import compiled

MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio, made odd

# Marks of the start and the end of a token in its character n-grams: no code point is so large.
TOKEN_START = 0x110000
TOKEN_END = 0x110001

# Character n-grams of a token have this many characters, the marks among them.
SHORTEST_NGRAM = 2
LONGEST_NGRAM = 5

# Of a longer token only so many characters are read: tokens such as addresses have no end.
MAX_CHARACTERS = 64

NO_BIGRAM = -1  # of the first token of a document


@compiled
def bigram_bucket(left: int, right: int, bits: int) -> np.int64:
    """The bucket, below 2**bits, of two token ids that follow one another."""
    key = (np.uint64(left) << np.uint64(32)) | np.uint64(right)
    return np.int64((key * np.uint64(MULTIPLIER)) >> np.uint64(64 - bits))


@compiled
def decode_token(data: np.ndarray, start: int, end: int, codes: np.ndarray) -> int:
    """Writes the code points of `data[start:end]`, UTF-8, between the marks into `codes`.

    Args:
        data: uint8.
        start: where the token begins.
        end: where it ends.
        codes: int64 [MAX_CHARACTERS + 2], is overwritten.

    Returns:
        How many numbers were written.
    """
    codes[0] = TOKEN_START
    count = 1
    for position in range(start, end):
        byte = np.int64(data[position])
        if byte & 0xC0 == 0x80:  # a continuation byte adds 6 bits to the code point before
            codes[count - 1] = (codes[count - 1] << 6) | (byte & 0x3F)
            continue
        if count == MAX_CHARACTERS + 1:
            break
        if byte >= 0xF0:
            byte &= 0x07
        elif byte >= 0xE0:
            byte &= 0x0F
        elif byte >= 0xC0:
            byte &= 0x1F
        codes[count] = byte
        count += 1
    codes[count] = TOKEN_END
    return count + 1


@compiled
def count_ngrams(characters: int) -> int:
    """The number of n-grams of a token with so many characters, the two marks among them."""
    count = 0
    for size in range(SHORTEST_NGRAM, min(LONGEST_NGRAM, characters) + 1):
        count += characters - size + 1
    return count


@compiled
def find_ngrams(data: np.ndarray, offsets: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The buckets of the character n-grams of tokens.

    Args:
        data: uint8, the UTF-8 of the tokens.
        offsets: int [tokens + 1], where each token begins in `data`.
        bits: buckets are below 2**bits.

    Returns:
        `(buckets, first)`: int32 [n-grams], and int64 [tokens + 1]: token i has the n-grams
        `buckets[first[i]:first[i + 1]]`.
    """
    codes = np.empty(MAX_CHARACTERS + 2, np.int64)
    first = np.zeros(offsets.size, np.int64)
    for token in range(offsets.size - 1):
        characters = decode_token(data, offsets[token], offsets[token + 1], codes)
        first[token + 1] = first[token] + count_ngrams(characters)
    buckets = np.empty(first[-1], np.int32)
    place = 0
    for token in range(offsets.size - 1):
        characters = decode_token(data, offsets[token], offsets[token + 1], codes)
        for start in range(characters - 1):
            state = np.uint64(codes[start])
            for size in range(2, min(LONGEST_NGRAM, characters - start) + 1):
                state = (state * np.uint64(MULTIPLIER)) ^ np.uint64(codes[start + size - 1])
                mixed = state * np.uint64(MULTIPLIER)
                buckets[place] = np.int32(mixed >> np.uint64(64 - bits))
                place += 1
    return buckets, first


@compiled
def sum_ngrams(
    data: np.ndarray, offsets: np.ndarray, table: np.ndarray, bits: int, sums: np.ndarray
) -> None:
    """Adds the rows of `table` that a token's n-grams have to its row of `sums`.

    Args:
        data: uint8, the UTF-8 of the tokens.
        offsets: int [tokens + 1].
        table: float32 [2**bits, columns].
        bits: as for `find_ngrams`.
        sums: float32 [tokens, columns].
    """
    for token in range(offsets.size - 1):
        buckets, _ = find_ngrams(data, offsets[token : token + 2], bits)
        for bucket in buckets:
            for column in range(table.shape[1]):
                sums[token, column] += table[bucket, column]


@compiled
def count_in_documents(
    keys: np.ndarray, row_offsets: np.ndarray, multiplier: np.uint64
) -> np.ndarray:
    """How often each key occurs in its document, int32 [keys].

    Args:
        keys: uint64, of every token of every document, end to end.
        row_offsets: int64 [rows + 1].
        multiplier: of the hash, odd. A random one: who knew it could write a document whose tokens
            all begin at one slot, so that every search would go through all of them.
    """
    longest = 1
    for row in range(row_offsets.size - 1):
        longest = max(longest, row_offsets[row + 1] - row_offsets[row])
    size, shift = 4, 62
    while size < 2 * longest:
        size, shift = 2 * size, shift - 1
    last_slot = np.uint64(size - 1)
    slot_keys = np.empty(size, np.uint64)
    slot_rows = np.full(size, -1, np.int64)  # a slot of an earlier document is free
    slot_counts = np.empty(size, np.int32)
    slots = np.empty(longest, np.int64)
    counts = np.empty(keys.size, np.int32)
    for row in range(row_offsets.size - 1):
        start, end = row_offsets[row], row_offsets[row + 1]
        for position in range(start, end):
            key = keys[position]
            slot = (key * multiplier) >> np.uint64(shift)
            while slot_rows[slot] == row and slot_keys[slot] != key:
                slot = (slot + np.uint64(1)) & last_slot
            if slot_rows[slot] != row:
                slot_rows[slot] = row
                slot_keys[slot] = key
                slot_counts[slot] = 0
            slot_counts[slot] += 1
            slots[position - start] = slot
        for position in range(start, end):
            counts[position] = slot_counts[slots[position - start]]
    return counts


@compiled
def find_bigrams(ids: np.ndarray, row_offsets: np.ndarray, bits: int) -> np.ndarray:
    """The bucket of each token and the one before it, int64 [tokens]; `NO_BIGRAM` for the first."""
    buckets = np.full(ids.size, NO_BIGRAM, np.int64)
    for row in range(row_offsets.size - 1):
        for position in range(row_offsets[row] + 1, row_offsets[row + 1]):
            buckets[position] = bigram_bucket(ids[position - 1], ids[position], bits)
    return buckets


@compiled
def sum_logits(
    ids: np.ndarray,
    token_weights: np.ndarray,
    first_token_id: int,
    unknown_weights: np.ndarray,
    token_shares: np.ndarray,
    bigrams: np.ndarray,
    bigram_weights: np.ndarray,
    bigram_shares: np.ndarray,
    row_offsets: np.ndarray,
    logits: np.ndarray,
) -> None:
    """Adds the weights of every token and bigram of a document, times their shares, to its logits.

    Args:
        ids: int32 [tokens].
        token_weights: float32 [ids, columns].
        first_token_id: lower ids stand for unknown tokens.
        unknown_weights: float32 [unknown tokens, columns], in the order of the tokens.
        token_shares: float32 [tokens].
        bigrams: int64 [tokens], from `find_bigrams`.
        bigram_weights: float32 [buckets, columns].
        bigram_shares: float32 [tokens].
        row_offsets: int64 [rows + 1].
        logits: float32 [rows, columns].
    """
    unknown = 0
    for row in range(row_offsets.size - 1):
        for position in range(row_offsets[row], row_offsets[row + 1]):
            token, share = ids[position], token_shares[position]
            if token < first_token_id:
                for column in range(logits.shape[1]):
                    logits[row, column] += share * unknown_weights[unknown, column]
                unknown += 1
            else:
                for column in range(logits.shape[1]):
                    logits[row, column] += share * token_weights[token, column]
            bigram, share = bigrams[position], bigram_shares[position]
            if bigram != NO_BIGRAM:
                for column in range(logits.shape[1]):
                    logits[row, column] += share * bigram_weights[bigram, column]
