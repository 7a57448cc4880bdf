import unicodedata
from pathlib import Path

import numpy as np
import pytest

import model.text
from model.text.characters import (
    CODE_POINTS,
    DROPPED,
    UNICODE_VERSION,
    CharacterClass,
    class_table,
    folding_table,
)
from tests.model.text.character_rules import class_of, lowercase_of, write_tables

ASSIGNED_IN_BOTH = [
    code
    for code in range(CODE_POINTS)
    if class_table()[code] != CharacterClass.UNASSIGNED and unicodedata.category(chr(code)) != "Cn"
]


@pytest.mark.skipif(
    unicodedata.unidata_version != UNICODE_VERSION, reason="another Unicode version"
)
def test_committed_tables_are_those_that_the_rules_write(tmp_path: Path) -> None:
    write_tables(tmp_path)
    committed = Path(model.text.__file__).parent
    for name in ("characters.csv", "ignorable.csv", "lowercase.csv"):
        assert (committed / name).read_bytes() == (tmp_path / name).read_bytes()


def test_classes_agree_with_unicodedata() -> None:
    assert len(ASSIGNED_IN_BOTH) > 280_000  # 144,697 characters and 137,468 of private use
    for invisible in ("drop", "keep"):
        expected = [
            CharacterClass[class_of(chr(code), invisible=invisible).upper()]
            for code in ASSIGNED_IN_BOTH
        ]
        found = class_table(invisible=invisible)[ASSIGNED_IN_BOTH]
        np.testing.assert_array_equal(found, expected)


def test_lower_case_agrees_with_unicodedata() -> None:
    table = folding_table(lowercase=True, fold_digits=False)
    others = (CharacterClass.SPACE, CharacterClass.IGNORABLE, CharacterClass.GLUE)
    letters = [code for code in ASSIGNED_IN_BOTH if class_table()[code] not in others]
    expected = [ord(lowercase_of(chr(code))) for code in letters]
    np.testing.assert_array_equal(table[letters], expected)


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        (" \t\n\r\0\x1f\x7f\x85\u00a0\u1680\u2003\u2028\u202f\u3000", CharacterClass.SPACE),
        ("\ufeff\u200b\u200e\u200f\u202a\u202e\u2066\u2069\u061c", CharacterClass.IGNORABLE),
        ("\u00ad\u034f\u115f\u180e\u200c\u2060\u3164\ufe0f\ufff0", CharacterClass.IGNORABLE),
        ("\U000e0067\U000e007f\U000e0100\U000e0fff", CharacterClass.IGNORABLE),
        ("azAZ_éßΩжעعक한글ㄅ", CharacterClass.WORD),
        ("²½①Ⅷªʼـ", CharacterClass.WORD),
        ("09٠९๑០၁９𝟗", CharacterClass.DIGIT),
        ("漢々〆〇〡𠀀豈あゝゟアヽㇰｱ𛀁", CharacterClass.SINGLE),
        ("กะำเๆລໆកៗမꩠ", CharacterClass.SINGLE),
        (".,!?…—«»“”‘$€+<=>^`´|~\u0600\u06dd\ue000", CharacterClass.SINGLE),
        ("😀❤☎☀♥♂⚕⠀©↔◾", CharacterClass.PICTURE),
        ("\u0301\u093f\u0e34\u17d2\u1039\u20e3\u3099ーｰﾞﾟ🏻🏿", CharacterClass.EXTEND),
        ("\u200d", CharacterClass.GLUE),
        ("🇦🇿", CharacterClass.REGIONAL),
        ("'’", CharacterClass.APOSTROPHE),
        ("\u0378\u2fe0\ud800\uffff\U0001fae8\U0010ffff", CharacterClass.UNASSIGNED),
    ],
)
def test_class_of_examples(characters: str, expected: CharacterClass) -> None:
    found = {character: class_table()[ord(character)] for character in characters}
    assert found == dict.fromkeys(characters, expected)


@pytest.mark.parametrize(
    ("written", "lower", "digits"),
    [
        ("AZ", "az", "AZ"),
        ("ÀÞ×", "àþ×", "ÀÞ×"),
        ("İIı", "iiı", "İIı"),  # one character becomes one character in every language
        ("ΣσςΆ", "σσσά", "ΣσςΆ"),  # a final sigma is a sigma
        ("ẞßÅK", "ßßåk", "ẞßÅK"),
        ("ǅА𐐀ᲐᏣ", "ǆа𐐨აꮳ", "ǅА𐐀ᲐᏣ"),
        ("Ⅷ①²", "ⅷ①²", "Ⅷ①²"),
        ("07٣९９𝟗", "07٣९９𝟗", "000000"),
        ("\n\u3000\u2028\0", "    ", "    "),
    ],
)
def test_folding_of_examples(written: str, lower: str, digits: str) -> None:
    lowering = folding_table(lowercase=True, fold_digits=False)
    zeroing = folding_table(lowercase=False, fold_digits=True)
    assert "".join(chr(lowering[ord(character)]) for character in written) == lower
    assert "".join(chr(zeroing[ord(character)]) for character in written) == digits


def test_folding_keeps_what_the_kernel_relies_on() -> None:
    table = folding_table(lowercase=True, fold_digits=True)
    np.testing.assert_array_equal(table == DROPPED, class_table() >= CharacterClass.IGNORABLE)
    codes = np.flatnonzero(table != DROPPED)
    table = table[codes]
    ascii_codes = codes < 0x80
    assert (table[ascii_codes] < 0x80).all()
    # UTF-8 grows by half at most, also for code points that no text has.
    assert (2 * _utf8_width(table) <= 3 * _utf8_width(codes)).all()
    # Folding twice equals folding once, and never makes a line break.
    whole = folding_table(lowercase=True, fold_digits=True)
    np.testing.assert_array_equal(whole[table], table)
    made = np.unique(whole[class_table() == CharacterClass.SPACE])
    assert made.tolist() == [ord(" ")]


def _utf8_width(codes: np.ndarray) -> np.ndarray:
    return 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
