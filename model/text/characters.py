"""The classes of Unicode characters that the token rule uses, and the characters' lower case.

The tables are read from files beside this module and belong to one Unicode version, so a
text has the same tokens whatever version of Python, ICU or TensorFlow runs. Every code point
has exactly one class:

    space       white space (Z*), controls (Cc, with NUL), other format characters (Cf)
    word        letters, numbers that are not digits, underscore
    digit       decimal digits (Nd) of any script: word characters that `fold_digits` turns into 0
    single      Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar letters; punctuation,
                symbols, private use
    picture     emoji and other symbols that are no operators or currencies (So)
    extend      combining marks (M*), kana sound marks, emoji skin tones
    ignorable   U+00AD soft hyphen, U+200B zero width space, U+FEFF, variation selectors, and all
                others that Unicode's property Default_Ignorable_Code_Point names, but U+200D
    glue        U+200D, zero width joiner: ignorable, but between two pictures it makes them one
    regional    the 26 regional indicator letters; two of them spell a flag
    apostrophe  ' and ’
    unassigned  all others: not a character in this Unicode version

Models of older releases keep ignorable characters (`text.invisible: keep`): there they have the
class that their category gives them (space, word, or extend), and U+200D is a joiner, which extends
a token, and joins it to the single character after it.
"""

import csv
import enum
import functools
import importlib.resources
from typing import Literal

import numpy as np

UNICODE_VERSION = "14.0.0"  # of Python 3.11, the oldest supported
CODE_POINTS = 0x110000
DROPPED = -1  # a code point that a folded token leaves out

# Whether ignorable characters are dropped from a word or kept (`TextConfig.invisible`).
Invisible = Literal["drop", "keep"]


class CharacterClass(enum.IntEnum):
    """The class of a character, which decides what it does in a token."""

    SPACE = 0
    WORD = 1
    DIGIT = 2
    SINGLE = 3
    EXTEND = 4
    JOINER = 5
    REGIONAL = 6
    APOSTROPHE = 7
    UNASSIGNED = 8
    PICTURE = 9
    # The classes from here on are of characters that nobody sees: a folded token has none.
    IGNORABLE = 10
    GLUE = 11


@functools.cache
def class_table(*, invisible: Invisible = "drop") -> np.ndarray:
    """The `CharacterClass` of every code point, uint8 [0x110000], read-only.

    Args:
        invisible: "keep": no character is ignorable or glue.
    """
    table = np.full(CODE_POINTS, CharacterClass.UNASSIGNED, dtype=np.uint8)
    for row in _read("characters.csv"):
        start, end = int(row["start"], 16), int(row["end"], 16)
        table[start : end + 1] = CharacterClass[row["class"].upper()]
    if invisible == "drop":
        for row in _read("ignorable.csv"):
            table[int(row["start"], 16) : int(row["end"], 16) + 1] = CharacterClass.IGNORABLE
        table[ord("\u200d")] = CharacterClass.GLUE
    table.flags.writeable = False
    return table


def folding_table(
    *, lowercase: bool, fold_digits: bool, invisible: Invisible = "drop"
) -> np.ndarray:
    """What each code point becomes in a folded token, int32 [0x110000].

    An ignorable one becomes `DROPPED`. Any other becomes one code point, whatever surrounds it: İ
    becomes i, ς becomes σ. A space inside a token (in a match of a protected pattern, or made by
    NFKC) becomes U+0020, so a folded token never contains a line break.
    """
    table = unfolded_table(invisible=invisible).copy()
    classes = class_table(invisible=invisible)
    if lowercase:
        for row in _read("lowercase.csv"):
            start, end = int(row["start"], 16), int(row["end"], 16)
            table[start : end + 1 : int(row["step"])] += int(row["shift"])
    if fold_digits:
        table[classes == CharacterClass.DIGIT] = ord("0")
    table[classes == CharacterClass.SPACE] = ord(" ")
    table.flags.writeable = False
    return table


def unfolded_table(*, invisible: Invisible = "drop") -> np.ndarray:
    """A folding that only drops the ignorable code points, int32 [0x110000]."""
    table = np.arange(CODE_POINTS, dtype=np.int32)
    table[class_table(invisible=invisible) >= CharacterClass.IGNORABLE] = DROPPED
    table.flags.writeable = False
    return table


def _read(name: str) -> list[dict[str, str]]:
    text = importlib.resources.files("model.text").joinpath(name).read_text(encoding="ascii")
    return list(csv.DictReader(text.splitlines()))
