import math

import pytest

from pipeline.process.numerals import parse_numeral


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("007", 7),
        ("+1.5", 1.5),
        (".5", 0.5),
        ("1.", 1),
        (" 1e3\t", 1000),
        ("-2E-1", -0.2),
    ],
)
def test_numbers(text: str, number: float) -> None:
    assert parse_numeral(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1_000", "1_0.5", "\uff11", "\u0661", "\u00bd", "infinity", "inf", "-Infinity"),
        *("nan", "0x10", "1e", ".", "1 000", "1,5", "1e1_0", "--1", "1\x00"),
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert math.isnan(parse_numeral(text))
