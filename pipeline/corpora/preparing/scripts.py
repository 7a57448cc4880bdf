"""The script in which most of a text is written, from the code points of its letters.

The ranges below hold the letters of the scripts in common use. A text without any of these
letters is `other`.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

OTHER = "other"

# First and last code point, both included, in order. Source: Unicode 16, Blocks.txt.
_RANGES = (
    (0x0041, 0x005A, "Latin"),
    (0x0061, 0x007A, "Latin"),
    (0x00AA, 0x00AA, "Latin"),
    (0x00BA, 0x00BA, "Latin"),
    (0x00C0, 0x00D6, "Latin"),
    (0x00D8, 0x00F6, "Latin"),
    (0x00F8, 0x02AF, "Latin"),
    (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0531, 0x058F, "Armenian"),
    (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x06FF, "Arabic"),
    (0x0750, 0x077F, "Arabic"),
    (0x08A0, 0x08FF, "Arabic"),
    (0x0900, 0x097F, "Devanagari"),
    (0x0980, 0x09FF, "Bengali"),
    (0x0A00, 0x0A7F, "Gurmukhi"),
    (0x0A80, 0x0AFF, "Gujarati"),
    (0x0B00, 0x0B7F, "Oriya"),
    (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"),
    (0x0C80, 0x0CFF, "Kannada"),
    (0x0D00, 0x0D7F, "Malayalam"),
    (0x0D80, 0x0DFF, "Sinhala"),
    (0x0E01, 0x0E5B, "Thai"),
    (0x0E80, 0x0EFF, "Lao"),
    (0x0F00, 0x0FFF, "Tibetan"),
    (0x1000, 0x109F, "Myanmar"),
    (0x10A0, 0x10FF, "Georgian"),
    (0x1100, 0x11FF, "Hangul"),
    (0x1200, 0x139F, "Ethiopic"),
    (0x1780, 0x17FF, "Khmer"),
    (0x1800, 0x18AF, "Mongolian"),
    (0x1D00, 0x1D7F, "Latin"),
    (0x1E00, 0x1EFF, "Latin"),
    (0x1F00, 0x1FFF, "Greek"),
    (0x2C60, 0x2C7F, "Latin"),
    (0x3005, 0x3007, "Han"),
    (0x3041, 0x309F, "Hiragana"),
    (0x30A1, 0x30FA, "Katakana"),
    (0x30FC, 0x30FF, "Katakana"),
    (0x3100, 0x312F, "Bopomofo"),
    (0x3131, 0x318E, "Hangul"),
    (0x3400, 0x4DBF, "Han"),
    (0x4E00, 0x9FFF, "Han"),
    (0xA720, 0xA7FF, "Latin"),
    (0xAC00, 0xD7AF, "Hangul"),
    (0xF900, 0xFAFF, "Han"),
    (0xFB1D, 0xFB4F, "Hebrew"),
    (0xFB50, 0xFDFF, "Arabic"),
    (0xFE70, 0xFEFC, "Arabic"),
    (0xFF21, 0xFF3A, "Latin"),
    (0xFF41, 0xFF5A, "Latin"),
    (0xFF66, 0xFF9D, "Katakana"),
    (0x20000, 0x3FFFF, "Han"),
)

_SCRIPTS = (OTHER, *dict.fromkeys(name for _, _, name in _RANGES))


def _map_code_points() -> np.ndarray:
    """The script of each code point as an index of `_SCRIPTS`; 0 for all other code points."""
    numbers = np.zeros(0x110000, np.uint8)
    for first, last, name in _RANGES:
        numbers[first : last + 1] = _SCRIPTS.index(name)
    return numbers


_SCRIPT_OF_CODE_POINT = _map_code_points()


def main_scripts(texts: pa.StringArray) -> np.ndarray:
    """The script that most letters of each text belong to, str `(rows,)`.

    If two scripts have equally many letters, it is the one whose range comes first.
    """
    found = np.full(len(texts), "Latin", dtype=object)
    latin = pc.match_substring_regex(texts, "[A-Za-z]")
    # Most texts are ASCII with a letter, so Latin. They are found for all rows at once; the other
    # texts are counted one by one.
    for row in np.flatnonzero(pc.invert(pc.and_(pc.string_is_ascii(texts), latin))):
        code_points = np.frombuffer(texts[int(row)].as_py().encode("utf-32-le"), "<u4")
        letters = np.bincount(_SCRIPT_OF_CODE_POINT[code_points], minlength=len(_SCRIPTS))
        letters[0] = 0  # ignore code points without a script; `argmax` is 0 if there are no letters
        found[row] = _SCRIPTS[letters.argmax()]
    return found
