import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.preparing.scripts import main_scripts


def script_of(text: str) -> str:
    [found] = main_scripts(pa.array([text]))
    return str(found)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("a café, naïve", "Latin"),
        ("ABC 退款", "Latin"),
        ("退款 A 吗", "Han"),
        ("かな カナ か", "Hiragana"),
        ("カタカナ", "Katakana"),
        ("환불", "Hangul"),
        ("пароль login", "Cyrillic"),
        ("κωδικός", "Greek"),
        ("مرحبا, hi", "Arabic"),
        ("שלום", "Hebrew"),
        ("रिफंड", "Devanagari"),
        ("รหัสผ่าน", "Thai"),
        ("𠮷𠮷 a", "Han"),
        ("12 !? 👍🏽", "other"),
        ("👍🏽 ok", "Latin"),
        ("", "other"),
        ("ᚠᚢᚦ", "other"),
    ],
)
def test_the_script_with_the_most_letters_is_named(text: str, script: str) -> None:
    assert script_of(text) == script


@given(st.lists(st.text(max_size=8), max_size=8))
def test_other_texts_of_a_batch_do_not_matter(texts: list[str]) -> None:
    found = main_scripts(pa.array(texts, pa.string()))
    assert found.tolist() == [script_of(text) for text in texts]
    assert isinstance(found, np.ndarray)


def test_scripts_agree_with_the_unicode_names_of_letters() -> None:
    scripts = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "THAI", "HANGUL", "DEVANAGARI")
    for code in range(0x1D00):
        character = chr(code)
        if not unicodedata.category(character).startswith("L"):
            continue
        words = unicodedata.name(character, "?").split()
        found = script_of(character)
        if words[0] in scripts and found != "other":
            assert found.upper() == words[0], hex(code)
