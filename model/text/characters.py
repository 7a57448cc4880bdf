"""The classes of Unicode characters that the token rule uses, and the characters' lower case.

Both tables are read from files beside this module and belong to one Unicode version, so a
text has the same tokens whatever version of Python, ICU or TensorFlow runs. Every code point
has exactly one class:

    space       white space (Z*), controls (Cc, with NUL), invisible format characters (Cf)
    word        letters, numbers that are not digits, underscore
    digit       decimal digits (Nd) of any script: word characters that `fold_digits` turns into 0
    single      Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar letters; punctuation,
                symbols, emoji, private use
    extend      combining marks (M*), variation selectors, zero width non-joiner, soft
                hyphen, word joiner, kana sound marks, emoji skin tones and tags
    joiner      U+200D: extends a token, and joins an emoji to the next one
    regional    the 26 regional indicator letters; two of them spell a flag
    apostrophe  ' and ’
    unassigned  all others: not a character in this Unicode version
"""

import csv
import enum
import functools
import importlib.resources

import numpy as np

UNICODE_VERSION = "14.0.0"  # of Python 3.11, the oldest supported
CODE_POINTS = 0x110000


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


@functools.cache
def class_table() -> np.ndarray:
    """The `CharacterClass` of every code point, uint8 [0x110000], read-only."""
    table = np.full(CODE_POINTS, CharacterClass.UNASSIGNED, dtype=np.uint8)
    for row in _read("characters.csv"):
        start, end = int(row["start"], 16), int(row["end"], 16)
        table[start : end + 1] = CharacterClass[row["class"].upper()]
    table.flags.writeable = False
    return table


def folding_table(*, lowercase: bool, fold_digits: bool) -> np.ndarray:
    """What each code point becomes in a folded token, int32 [0x110000].

    One code point always becomes one code point, whatever surrounds it: İ becomes i, ς
    becomes σ. A space inside a token (in a match of a protected pattern, or made by NFKC)
    becomes U+0020, so a folded token never contains a line break.
    """
    table = np.arange(CODE_POINTS, dtype=np.int32)
    if lowercase:
        for row in _read("lowercase.csv"):
            start, end = int(row["start"], 16), int(row["end"], 16)
            table[start : end + 1 : int(row["step"])] += int(row["shift"])
    if fold_digits:
        table[class_table() == CharacterClass.DIGIT] = ord("0")
    table[class_table() == CharacterClass.SPACE] = ord(" ")
    table.flags.writeable = False
    return table


def _read(name: str) -> list[dict[str, str]]:
    text = importlib.resources.files("model.text").joinpath(name).read_text(encoding="ascii")
    return list(csv.DictReader(text.splitlines()))
