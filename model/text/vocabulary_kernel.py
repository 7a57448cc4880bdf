"""The compiled loops of the vocabulary: a hash table from a token's UTF-8 to its index.

Positions are uint64 in the loops that take most time, because for signed ones Numba adds a check
whether they are negative.
"""

import numpy as np

from model.runtime.compilation import compiled

# The key of the hash that chooses the out-of-vocabulary bucket. It must never change, because
# models are trained with its buckets.
OOV_KEY = (0x4C494D454C494748, 0x54564F434142554C)
FNV_BASIS = 0xCBF29CE484222325  # where a hash starts whose value must stay the same
ABSENT = -1


@compiled
def hash_bytes(data: np.ndarray, start: np.uint64, end: np.uint64, basis: np.uint64) -> np.uint64:
    """The 64-bit FNV-1a hash of `data[start:end]`, with its upper half XORed into its lower half.

    Source: Fowler, Noll, Vo; draft-eastlake-fnv.
    """
    state = basis
    for position in range(start, end):
        state = (state ^ np.uint64(data[position])) * np.uint64(0x100000001B3)
    return state ^ (state >> np.uint64(32))


@compiled
def hash_tokens(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """`hash_bytes` of the strings `data[offsets[i]:offsets[i + 1]]`, uint64."""
    hashes = np.empty(offsets.size - 1, dtype=np.uint64)
    for index in range(offsets.size - 1):
        start, end = np.uint64(offsets[index]), np.uint64(offsets[index + 1])
        hashes[index] = hash_bytes(data, start, end, np.uint64(FNV_BASIS))
    return hashes


@compiled
def build_slots(data: np.ndarray, offsets: np.ndarray, basis: np.uint64) -> np.ndarray:
    """An open-addressing table of the strings `data[offsets[i]:offsets[i + 1]]`.

    Args:
        data: uint8.
        offsets: int64 [strings + 1].
        basis: of the hash. A random one: who knew it could choose strings that all begin at one
            slot, so that every search would go through all of them.

    Returns:
        Indices of strings, int32 [a power of two]; `ABSENT` in a free slot. To find a string,
        begin at the slot of its hash and go on until the string or a free slot is found.
    """
    count = offsets.size - 1
    size = 8
    while size < 4 * count:  # at most a quarter is taken, so most searches end at the first slot
        size *= 2
    slots = np.full(size, ABSENT, dtype=np.int32)
    last_slot = np.uint64(size - 1)
    for index in range(count):
        start, end = np.uint64(offsets[index]), np.uint64(offsets[index + 1])
        slot = hash_bytes(data, start, end, basis) & last_slot
        while slots[slot] != ABSENT:
            slot = (slot + np.uint64(1)) & last_slot
        slots[slot] = index
    return slots


@compiled
def rotate(word: np.uint64, bits: int) -> np.uint64:
    """A 64-bit word, rotated to the left by `bits`."""
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@compiled
def sip_round(
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One round of SipHash."""
    a += b
    b = rotate(b, 13) ^ a
    a = rotate(a, 32)
    c += d
    d = rotate(d, 16) ^ c
    a += d
    d = rotate(d, 21) ^ a
    c += b
    b = rotate(b, 17) ^ c
    c = rotate(c, 32)
    return a, b, c, d


@compiled
def sip_hash(data: np.ndarray, start: int, end: int) -> np.uint64:
    """SipHash-2-4 of `data[start:end]` under `OOV_KEY` (Aumasson and Bernstein, 2012)."""
    low, high = np.uint64(OOV_KEY[0]), np.uint64(OOV_KEY[1])
    a = low ^ np.uint64(0x736F6D6570736575)
    b = high ^ np.uint64(0x646F72616E646F6D)
    c = low ^ np.uint64(0x6C7967656E657261)
    d = high ^ np.uint64(0x7465646279746573)
    length = end - start
    for block in range(length // 8 + 1):
        first = start + 8 * block
        word = np.uint64(0)
        for offset in range(min(8, end - first)):
            word |= np.uint64(data[first + offset]) << np.uint64(8 * offset)
        if block == length // 8:  # the last block is incomplete and ends with the length
            word |= np.uint64(length & 0xFF) << np.uint64(56)
        d ^= word
        for _ in range(2):
            a, b, c, d = sip_round(a, b, c, d)
        a ^= word
    c ^= np.uint64(0xFF)
    for _ in range(4):
        a, b, c, d = sip_round(a, b, c, d)
    return a ^ b ^ c ^ d


@compiled
def look_up(
    data: np.ndarray,
    offsets: np.ndarray,
    known: np.ndarray,
    known_offsets: np.ndarray,
    slots: np.ndarray,
    basis: np.uint64,
    oov_buckets: int,
) -> np.ndarray:
    """The ids of the strings `data[offsets[i]:offsets[i + 1]]`, int32.

    Args:
        data: uint8.
        offsets: int32 [strings + 1].
        known: the bytes of the vocabulary's strings, uint8.
        known_offsets: int64 [known strings + 1].
        slots: from `build_slots` of the vocabulary's strings.
        basis: with which they were built.
        oov_buckets: at least 1.
    """
    ids = np.empty(offsets.size - 1, dtype=np.int32)
    last_slot = np.uint64(slots.size - 1)
    for string in range(offsets.size - 1):
        start, end = np.uint64(offsets[string]), np.uint64(offsets[string + 1])
        slot = hash_bytes(data, start, end, basis) & last_slot
        index = slots[slot]
        while index != ABSENT:
            candidate = np.uint64(known_offsets[index])
            length = np.uint64(known_offsets[index + 1]) - candidate
            equal = length == end - start
            if equal:
                # All bytes are compared: words are so short that leaving the loop early, which the
                # processor mispredicts, takes longer.
                for position in range(length):
                    equal &= known[candidate + position] == data[start + position]
            if equal:
                break
            slot = (slot + np.uint64(1)) & last_slot
            index = slots[slot]
        if index != ABSENT:
            ids[string] = 1 + oov_buckets + index
        elif oov_buckets == 1:
            ids[string] = 1
        else:
            bucket = sip_hash(data, offsets[string], offsets[string + 1]) % np.uint64(oov_buckets)
            ids[string] = 1 + np.int64(bucket)
    return ids
