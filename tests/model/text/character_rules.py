"""Computes the tables of `model.text.characters` from `unicodedata`.

It implements the rule that `model.text.characters` documents a second time, for the tests, and is
the program that writes the tables:

    python -m tests.model.text.character_rules

Writing needs a Python whose `unicodedata` has exactly the tables' Unicode version.
"""

import csv
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import model.text
from model.text.characters import CODE_POINTS, UNICODE_VERSION

# `unicodedata` does not give a letter's script, but the letters' names begin with it.
BY_CHARACTER_NAMES = (
    "CJK ",
    "IDEOGRAPHIC ",
    "VERTICAL IDEOGRAPHIC ",
    "OLD CHINESE ",
    "HANGZHOU NUMERAL ",
    "HIRAGANA ",
    "HENTAIGANA ",
    "KATAKANA ",
    "HALFWIDTH KATAKANA ",
    "VERTICAL KANA ",
    "MASU MARK",
    "THAI ",
    "LAO ",
    "KHMER ",
    "MYANMAR ",
)
# Format characters that are visible, such as the number signs of Arabic, Syriac and Kaithi.
DRAWN_FORMAT = frozenset(
    (*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD)
)
# Unicode 14.0, DerivedCoreProperties.txt: Default_Ignorable_Code_Point.
DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
IGNORABLE = frozenset(code for start, end in DEFAULT_IGNORABLE for code in range(start, end + 1))
# Mathematical symbols (Sm) that are emoji.
MATHEMATICAL_EMOJI = frozenset((0x2194, *range(0x25FB, 0x25FF), 0x266F))
# Where invisible characters are kept, these are part of the word or emoji they are in.
INVISIBLE_EXTEND = frozenset(
    (
        0x00AD,  # soft hyphen
        0x180E,  # Mongolian vowel separator
        0x200C,  # zero width non-joiner
        0x2060,  # word joiner
        *range(0x13430, 0x13439),  # Egyptian hieroglyph joiners
        *range(0xE0020, 0xE0080),  # emoji tags
    )
)
# Prolonged and voiced sound marks lengthen or voice the kana before them.
SOUND_MARKS = frozenset((0x30FC, 0xFF70, 0xFF9E, 0xFF9F))
SKIN_TONES = frozenset(range(0x1F3FB, 0x1F400))
REGIONAL_INDICATORS = frozenset(range(0x1F1E6, 0x1F200))


def class_of(character: str, *, invisible: str = "drop") -> str:
    """The class of one character."""
    code, category = ord(character), unicodedata.category(character)
    if invisible == "drop" and code in IGNORABLE:
        return "glue" if code == 0x200D else "ignorable"
    if character in "'\u2019":
        return "apostrophe"
    if code == 0x200D:
        return "joiner"
    if code in REGIONAL_INDICATORS:
        return "regional"
    if category[0] == "M" or code in INVISIBLE_EXTEND | SOUND_MARKS | SKIN_TONES:
        return "extend"
    if category[0] == "Z" or category == "Cc" or (category == "Cf" and code not in DRAWN_FORMAT):
        return "space"
    if category == "Nd":
        return "digit"
    if category == "No" or character == "_":
        return "word"
    if category[0] in "LN":
        name = unicodedata.name(character, "")  # none for Tangut
        return "single" if name.startswith(BY_CHARACTER_NAMES) else "word"
    if category == "So" or code in MATHEMATICAL_EMOJI:
        return "picture"
    return "unassigned" if category in ("Cn", "Cs") else "single"


def lowercase_of(character: str) -> str:
    """The one character that becomes the lower case of one character."""
    if character == "\u0130":  # capital I with dot above: in full lower-casing "i" and a dot
        return "i"
    if character == "\u03c2":  # a final sigma is a sigma: the rule never looks at neighbours
        return "\u03c3"
    return character.lower()


def class_rows() -> Iterator[tuple[str, str, str]]:
    """Ranges of one class where invisible characters are kept; all others are unassigned."""
    start, current = 0, class_of("\0")
    for code in range(1, CODE_POINTS + 1):
        following = class_of(chr(code), invisible="keep") if code < CODE_POINTS else ""
        if following != current:
            if current != "unassigned":
                yield f"{start:04X}", f"{code - 1:04X}", current
            start, current = code, following


def ignorable_rows() -> Iterator[tuple[str, str]]:
    """Ranges of code points that nobody sees."""
    for start, end in DEFAULT_IGNORABLE:
        yield f"{start:04X}", f"{end:04X}"


def lowercase_rows() -> Iterator[tuple[str, str, int, int]]:
    """Ranges `start, end, step`, and the shift that is the same for all their characters."""
    shifts = {}
    for code in range(CODE_POINTS):
        shift = ord(lowercase_of(chr(code))) - code
        if shift:
            shifts[code] = shift
    while shifts:
        start, shift = next(iter(shifts.items()))
        alternate = shifts.get(start + 2) == shift and shifts.get(start + 1) != shift
        step = 2 if alternate else 1
        end = start
        while shifts.get(end) == shift:
            del shifts[end]
            end += step
        yield f"{start:04X}", f"{end - step:04X}", step, shift


def write_tables(folder: Path) -> None:
    """Writes `characters.csv`, `ignorable.csv` and `lowercase.csv` into `folder`."""
    tables = (
        ("characters.csv", ("start", "end", "class"), class_rows()),
        ("ignorable.csv", ("start", "end"), ignorable_rows()),
        ("lowercase.csv", ("start", "end", "step", "shift"), lowercase_rows()),
    )
    for name, header, rows in tables:
        with (folder / name).open("w", encoding="ascii", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)


if __name__ == "__main__":
    if unicodedata.unidata_version != UNICODE_VERSION:
        sys.exit(
            f"unicodedata: expected Unicode {UNICODE_VERSION}, got {unicodedata.unidata_version}. "
            "Run this with Python 3.11."
        )
    write_tables(Path(model.text.__file__).parent)
