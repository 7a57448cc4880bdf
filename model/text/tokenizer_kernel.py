"""The compiled loops of the tokenizer, over UTF-8 bytes. The rule is in `model.text.tokenizer`.

Byte positions count from the start of `data`. `data` must be valid UTF-8, as an Arrow string is.
For other bytes the tokens are arbitrary, but nothing is read out of bounds.
"""

import numpy as np

from model.runtime.compilation import compiled
from model.text.characters import CharacterClass

SPACE = int(CharacterClass.SPACE)
WORD = int(CharacterClass.WORD)
DIGIT = int(CharacterClass.DIGIT)
SINGLE = int(CharacterClass.SINGLE)
APOSTROPHE = int(CharacterClass.APOSTROPHE)
IGNORABLE = int(CharacterClass.IGNORABLE)
GLUE = int(CharacterClass.GLUE)

# The states of the scan: outside a token; in a word; in a token that is not a word. IN_FLAG is such
# a token after its first regional letter, which may take a second one; IN_PICTURE one whose last
# character, apart from extending ones, is a picture; AFTER_JOINER one after glue, which may take
# another picture (or where ignorable characters are kept, one after a joiner).
OUTSIDE, IN_WORD, IN_SINGLE, IN_FLAG, AFTER_JOINER, IN_PICTURE = range(6)


def _transition(state: int, kind: CharacterClass, *, keep: bool) -> tuple[int, bool]:
    """The state after one more character, and whether a token begins with that character.

    Ignorable characters and glue do not get here. `keep` is whether they have other classes.
    """
    match kind:
        case CharacterClass.SPACE:
            return OUTSIDE, False
        case CharacterClass.WORD | CharacterClass.DIGIT:
            return IN_WORD, state != IN_WORD
        case CharacterClass.EXTEND | CharacterClass.JOINER:
            if state in (OUTSIDE, IN_WORD):
                return IN_WORD, state == OUTSIDE
            if kind is CharacterClass.JOINER:
                return AFTER_JOINER, False
            in_picture = state in (IN_PICTURE, AFTER_JOINER) and not keep
            return IN_PICTURE if in_picture else IN_SINGLE, False
        case CharacterClass.REGIONAL:
            return (IN_SINGLE, False) if state == IN_FLAG else (IN_FLAG, True)
        case CharacterClass.PICTURE | CharacterClass.UNASSIGNED if not keep:
            return IN_PICTURE, state != AFTER_JOINER
    return IN_SINGLE, state != AFTER_JOINER or not keep


def _transition_table(*, keep: bool) -> np.ndarray:
    """uint8 [states, classes]: the next state, + 8 if a token begins, + 16 if a token ended."""
    table = np.zeros((6, len(CharacterClass)), dtype=np.uint8)
    for state in range(6):
        for kind in CharacterClass:
            following, begins = _transition(state, kind, keep=keep)
            ended = state != OUTSIDE and (begins or following == OUTSIDE)
            table[state, kind] = following | begins << 3 | ended << 4
    return table


TRANSITIONS = {"drop": _transition_table(keep=False), "keep": _transition_table(keep=True)}


@compiled
def decode(data: np.ndarray, position: int, limit: int) -> tuple[int, int]:
    """The code point that starts at `position`, and its width in bytes."""
    lead: int = data[position]
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        code, width = lead & 0x1F, 2
    elif lead < 0xF0:
        code, width = lead & 0x0F, 3
    else:
        code, width = lead & 0x07, 4
    width = min(width, limit - position)
    for offset in range(1, width):
        code = code << 6 | (data[position + offset] & 0x3F)
    return min(code, 0x10FFFF), width


@compiled
def encode(code: int, out: np.ndarray, position: int) -> int:
    """Writes a code point at `position`; returns the position after it."""
    if code < 0x80:
        out[position] = code
        return position + 1
    if code < 0x800:
        out[position] = 0xC0 | code >> 6
        out[position + 1] = 0x80 | code & 0x3F
        return position + 2
    if code < 0x10000:
        out[position] = 0xE0 | code >> 12
        out[position + 1] = 0x80 | code >> 6 & 0x3F
        out[position + 2] = 0x80 | code & 0x3F
        return position + 3
    out[position] = 0xF0 | code >> 18
    out[position + 1] = 0x80 | code >> 12 & 0x3F
    out[position + 2] = 0x80 | code >> 6 & 0x3F
    out[position + 3] = 0x80 | code & 0x3F
    return position + 4


@compiled
def fold_character(
    data: np.ndarray, position: int, limit: int, folding: np.ndarray, out: np.ndarray, written: int
) -> tuple[int, int]:
    """Appends the character at `position`, folded, to `out`, unless folding drops it.

    Returns:
        the position after the character, and the new length of `out`.
    """
    code, width = decode(data, position, limit)
    if folding[code] >= 0:
        written = encode(folding[code], out, written)
    return position + width, written


@compiled
def skip_ignorable(
    data: np.ndarray, position: int, limit: int, classes: np.ndarray
) -> tuple[int, int]:
    """The position of the first character that is not ignorable, and how many were skipped."""
    skipped = 0
    while position < limit:
        code, width = decode(data, position, limit)
        if classes[code] < IGNORABLE:
            break
        position += width
        skipped += 1
    return position, skipped


@compiled
def seen_character(data: np.ndarray, position: int, limit: int, classes: np.ndarray) -> int:
    """The first code point from `position` that is not ignorable; 0 if there is none."""
    position, _ = skip_ignorable(data, position, limit, classes)
    return decode(data, position, limit)[0] if position < limit else 0


@compiled
def tag_end(data: np.ndarray, position: int, limit: int) -> int:
    """The end of the HTML tag whose `<` is at `position`; `position` if it is not a tag."""
    following = position + 1
    if following == limit:
        return position
    byte = data[following]
    letter = ord("a") <= (byte | 0x20) <= ord("z")
    if not (letter or byte == ord("/") or byte == ord("!")):
        return position
    while following < limit and data[following] != ord("<"):
        if data[following] == ord(">"):
            return following + 1
        following += 1
    return position


# Longer than 60 lines, because its parts would have to pass ten arrays and six counters to one
# another and back.
@compiled
def find_tokens(
    data: np.ndarray,
    row_positions: np.ndarray,
    span_starts: np.ndarray,
    span_ends: np.ndarray,
    classes: np.ndarray,
    folding: np.ndarray,
    transitions: np.ndarray,
    drop_html: bool,
) -> tuple[np.ndarray, ...]:
    """Finds and folds the tokens of every row.

    Args:
        data: UTF-8, uint8 [bytes].
        row_positions: where each row begins in `data`, int64 [rows + 1].
        span_starts: where protected tokens begin, int64 [spans], in order, none empty.
        span_ends: where protected tokens end, int64 [spans].
        classes: `CharacterClass` of each code point, uint8 [0x110000].
        folding: what each code point is folded to, int32 [0x110000].
        transitions: one of `TRANSITIONS`.
        drop_html: whether an HTML tag is white space.

    Returns:
        `row_offsets` int64 [rows + 1]; `starts` and `ends`, in characters of the row, and
        `byte_starts` and `byte_ends`, in `data`, int32 [tokens]; `folded_bytes` uint8 and
        `folded_offsets` int32 [tokens + 1].
    """
    rows = row_positions.size - 1
    row_offsets = np.zeros(rows + 1, dtype=np.int64)
    # A token has at least one byte, and the loop writes one slot ahead. Unused slots cost no
    # memory, because the system provides a page only when it is written. The five arrays are one
    # block, so that the allocator can reuse it for the next batch without zeroing it again.
    places = np.empty((5, data.size + 1), dtype=np.int32)
    starts, ends = places[0], places[1]
    byte_starts, byte_ends, folded_offsets = places[2], places[3], places[4]
    # Folding makes a code point at most 1.5 times as long: two bytes become at most three.
    folded_bytes = np.empty((data.size + 1) * 3 // 2, dtype=np.uint8)
    begun = ended = written = span = 0
    for row in range(rows):
        position, row_end = row_positions[row], row_positions[row + 1]
        character = 0
        while position < row_end:
            protected = span < span_starts.size and span_starts[span] < row_end
            limit = span_starts[span] if protected else row_end
            state = OUTSIDE
            while position < limit:
                byte = data[position]
                if byte < 0x80:
                    width = 1
                    kind = classes[byte]
                    folded = folding[byte]
                else:
                    code, width = decode(data, position, limit)
                    kind = classes[code]
                    if kind >= IGNORABLE:
                        if kind == GLUE and state == IN_PICTURE:
                            state = AFTER_JOINER
                        position += width
                        character += 1
                        continue
                    folded = folding[code]
                skipped = 0
                if kind == APOSTROPHE and state == IN_WORD and position + width < limit:
                    following, _ = decode(data, position + width, limit)
                    if classes[following] >= IGNORABLE:
                        following = seen_character(data, position + width, limit, classes)
                    if classes[following] == WORD or classes[following] == DIGIT:
                        kind = WORD
                elif drop_html and byte == ord("<"):
                    end = tag_end(data, position, limit)
                    if end > position:
                        kind = SPACE
                        for inside in range(position + 1, end):
                            skipped += (data[inside] & 0xC0) != 0x80
                        width = end - position
                transition = transitions[state, kind]
                # The processor cannot predict where words end, and a mispredicted branch is slow.
                # So the next slot is always written, and counted only if a token begins or ends.
                starts[begun] = character
                byte_starts[begun] = position
                folded_offsets[begun] = written
                ends[ended] = character
                byte_ends[ended] = position
                state = transition & 7
                begun += transition >> 3 & 1
                ended += transition >> 4
                if folded < 0x80:
                    folded_bytes[written] = folded
                    written += state != OUTSIDE
                elif state != OUTSIDE:
                    written = encode(folded, folded_bytes, written)
                position += width
                character += 1 + skipped
            if state != OUTSIDE:
                ends[ended] = character
                byte_ends[ended] = position
                ended += 1
            if protected:
                position, skipped = skip_ignorable(data, position, span_ends[span], classes)
                character += skipped
                if position < span_ends[span]:
                    starts[begun] = character
                    byte_starts[begun] = position
                    folded_offsets[begun] = written
                    begun += 1
                    while position < span_ends[span]:
                        position, written = fold_character(
                            data, position, span_ends[span], folding, folded_bytes, written
                        )
                        character += 1
                    ends[ended] = character
                    byte_ends[ended] = position
                    ended += 1
                span += 1
        row_offsets[row + 1] = begun
    folded_offsets[begun] = written
    return (
        row_offsets,
        starts[:begun],
        ends[:begun],
        byte_starts[:begun],
        byte_ends[:begun],
        folded_bytes[:written],
        folded_offsets[: begun + 1],
    )


@compiled
def fold_slices(
    data: np.ndarray, offsets: np.ndarray, folding: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Folds the strings `data[offsets[i]:offsets[i + 1]]`.

    Returns:
        The folded bytes, uint8, and where each string begins in them, int32 [strings + 1].
    """
    folded_bytes = np.empty((offsets[-1] - offsets[0]) * 3 // 2, dtype=np.uint8)
    folded_offsets = np.zeros(offsets.size, dtype=np.int32)
    position, written = offsets[0], 0
    for index in range(offsets.size - 1):
        end = offsets[index + 1]
        while position < end:
            byte = data[position]
            if byte < 0x80:  # ASCII folds to ASCII
                folded_bytes[written] = folding[byte]
                position += 1
                written += 1
            else:
                position, written = fold_character(
                    data, position, end, folding, folded_bytes, written
                )
        folded_offsets[index + 1] = written
    return folded_bytes[:written], folded_offsets


@compiled
def copy_slices(
    data: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Copies the strings `data[starts[i]:ends[i]]` one after the other.

    Returns:
        The copied bytes, uint8, and where each string begins in them, int32 [strings + 1].
    """
    offsets = np.zeros(starts.size + 1, dtype=np.int32)
    for index in range(starts.size):
        offsets[index + 1] = offsets[index] + ends[index] - starts[index]
    copied = np.empty(offsets[-1], dtype=np.uint8)
    written = 0
    for index in range(starts.size):
        for position in range(starts[index], ends[index]):
            copied[written] = data[position]
            written += 1
    return copied, offsets
