import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.process.printable import printable, readable, shortened

any_text = st.text(st.characters(codec=None, exclude_categories=()))

# Characters of format that are drawn.
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"


def characters(*categories: str) -> list[str]:
    every = map(chr, range(0x110000))
    return [each for each in every if unicodedata.category(each) in categories]


@given(any_text)
def test_printable_text_is_one_line_that_can_be_written(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


def test_no_control_no_format_and_no_separator_is_printed() -> None:
    hidden = characters("Cc", "Cf", "Cs", "Zl", "Zp")
    assert len(hidden) > 2_000
    printed = [
        each for each in hidden if printable(each) == each and not 0x13430 <= ord(each) <= 0x13438
    ]  # hieroglyphs are stacked by those, which are drawn
    assert "".join(printed) == SEEN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31m\x00\n\t\x7f", "a␛[31m␀␊␉␡"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("fdp\u202excod\u2066\u2069", r"fdp\u202excod\u2066\u2069"),
        ("one\u200btwo\ufeff\u3164", r"one\u200btwo\ufeff\u3164"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("\U000e0041\U000e0100", r"\U000e0041\U000e0100"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        (
            "مرحبا שלום 日本 👍🏽❤️ naïve e\u0301\xa0\u3000",
            "مرحبا שלום 日本 👍🏽❤️ naïve e\u0301\xa0\u3000",
        ),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(any_text)
def test_readable_text_keeps_its_length_and_can_be_written(text: str) -> None:
    shown = readable(text)
    assert len(shown) == len(text)
    shown.encode("utf-8")
    assert all(character in "\t\n" or ord(character) >= 0x20 for character in shown)
    assert not set(shown) & set("\x85\u2028\u2029\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
    assert readable(shown) == shown


WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b\x9b\n\t", "a␛\ufffd\n\t"),
        ("fdp\u202excod", "fdp\ufffdxcod"),
        ("one\u200btwo\ufeff", "one␣two␣"),
        ("one\u2028two", "one␤two"),
        ("\U000e0041", "\ufffd"),
    ],
)
def test_a_page_shows_what_could_deceive(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize(
    "text",
    ["می\u200cخواهم", "👨\u200d👩\u200d👧", "שלום\u200f!", "مرحبا", "co\xadoperate", WALES, "ᠠ"],
)
def test_a_page_keeps_what_languages_need(text: str) -> None:
    assert readable(text) == text


def test_long_names_are_shortened() -> None:
    assert shortened(60 * "x") == 60 * "x"
    assert shortened("1" + 400 * "0") == f"1{29 * '0'} .. {26 * '0'}"
