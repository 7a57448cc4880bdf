"""Values as text for a person."""

import pytest

from pipeline.reports import formats


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (formats.count, 0, "0"),
        (formats.count, 1_234_567, "1,234,567"),
        (formats.count, 11_832.6, "11,833"),
        (formats.percent, 0, "0%"),
        (formats.percent, 0.0001, "<0.1%"),
        (formats.percent, 0.0005, "0.1%"),
        (formats.percent, 0.1234, "12.3%"),
        (formats.percent, 0.9994, "99.9%"),
        (formats.percent, 0.99951, ">99.9%"),
        (formats.percent, 1, "100%"),
        (formats.decimal, 0.07149, "0.071"),
        (formats.decimal, 1234.5, "1,234.500"),
        (formats.byte_size, 0, "0 Bytes"),
        (formats.byte_size, 999, "999 Bytes"),
        (formats.byte_size, 1_000, "1.0 kB"),
        (formats.byte_size, 999_999, "1.0 MB"),
        (formats.byte_size, 3_440_000, "3.4 MB"),
        (formats.byte_size, 5_000_000_000_000_000, "5.0 PB"),
        (formats.moment, "2026-11-20T10:55:12+00:00", "2026-11-20 10:55 UTC"),
        (formats.moment, "2026-11-20T01:30:00+02:00", "2026-11-19 23:30 UTC"),
        (formats.moment, "2026-11-20T10:55:12", "2026-11-20 10:55 UTC"),
        (formats.duration, 4.24, "4.2 s"),
        (formats.duration, 200.2, "3 min 20 s"),
        (formats.duration, 7_500, "2 h 05 min"),
        (formats.raw_text, None, ""),
        (formats.raw_text, b"\xffa", "\\xffa"),
        (formats.raw_text, "é".encode(), "é"),
        (formats.raw_text, b"x" * 301, "x" * 300 + "…"),
    ],
)
def test_formats(function, value, expected):
    assert function(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0 texts"), (1, "1 text"), (2, "2 texts"), (1_000, "1,000 texts")]
)
def test_counted(value, expected):
    assert formats.counted(value, "text") == expected


def test_dotted_keys():
    config = {"name": "a", "text": {"max_tokens": 5, "deep": {"er": (1, 2)}}, "empty": {}}
    assert list(formats.dotted(config)) == [
        ("name", "a"),
        ("text.max_tokens", "5"),
        ("text.deep.er", "(1, 2)"),
    ]


def test_long_labels_are_shortened() -> None:
    assert formats.list_labels({401 * "0": 2}) == f"'{30 * '0'} .. {26 * '0'}' (2)"
