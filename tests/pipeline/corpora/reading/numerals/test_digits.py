import math
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.config.sections import ColumnsConfig
from pipeline.corpora.reading.numerals.digits import (
    fraction_text,
    integer_text,
    is_nan,
    may_lose_digits,
    number_text,
    parse_json,
    shortest_float,
)
from tests.pipeline.corpora.formats.whole_file import read_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-0", 0),
        ("1.5", 1.5),
        ("1e5", 1e5),
        ("18446744073709551616", 2**64),
        ("-9223372036854775809", -(2**63) - 1),
        ("9" * 5_000, Decimal("9" * 5_000)),
        ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
        ("0.30000000000000004", 0.30000000000000004),
        ("1e400", Decimal("1e400")),
        ("1e-400", Decimal("1e-400")),
        ("0e-400", 0.0),
    ],
)
def test_numbers_of_json_keep_their_digits(text: str, expected: Any) -> None:
    found = parse_json(text)
    assert found == expected
    assert type(found) is type(expected)


def test_the_constants_of_python_are_numbers() -> None:
    first, second = parse_json("[NaN, -Infinity]")
    assert is_nan(first)
    assert second == -math.inf


@pytest.mark.parametrize(
    ("value", "integer", "fraction", "number"),
    [
        (7, "7", "7", "7"),
        (1.0, "1", "1.0", "1.0"),
        (-0.0, "0", "-0.0", "-0.0"),
        (4.5, None, "4.5", "4.5"),
        (1e-7, None, "1e-07", "1e-07"),
        (Decimal("4.50"), None, "4.5", "4.50"),
        (Decimal("100"), "100", "100", "100"),
        (Decimal("1.50E+5000"), "1.50E+5000", "1.50E+5000", "1.50E+5000"),
        (Decimal("1E+3"), "1000", "1E+3", "1E+3"),
        (Decimal("0.00"), "0", "0", "0.00"),
        (Decimal("1E+999999999"), "1E+999999999", "1E+999999999", "1E+999999999"),
        (Decimal("1E-999999999"), None, "1E-999999999", "1E-999999999"),
        (Decimal("9" * 38 + ".50"), None, "9" * 38 + ".5", "9" * 38 + ".50"),
        (Decimal("9" * 38 + ".00"), "9" * 38, "9" * 38, "9" * 38 + ".00"),
    ],
)
def test_numbers_as_text(value: Any, integer: str | None, fraction: str, number: str) -> None:
    assert integer_text(value) == integer
    assert fraction_text(value) == fraction
    assert number_text(value) == number


@given(st.floats(width=32))
def test_a_float32_keeps_its_value(value: float) -> None:
    short = shortest_float(value)
    assert np.float32(short) == np.float32(value) or math.isnan(value)
    assert math.isnan(value) or len(repr(short)) <= len(repr(value))


@given(
    st.one_of(
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.decimals(allow_nan=False, allow_infinity=False),
    )
)
def test_numbers_of_few_digits_are_those_of_the_fast_parser(number: Any) -> None:
    text = str(number)
    try:
        fast = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if not may_lose_digits(text.encode()):
        assert parse_json(text) == fast
        assert type(parse_json(text)) is type(fast)


@pytest.mark.parametrize(
    ("digits", "identity", "kept"),
    [
        ("9007199254740993e0", "9007199254740993", "9007199254740993"),
        ("9007199254740993E1", "90071992547409930", "9.007199254740993E+16"),
        ("123456789012345e5", "12345678901234500000", "1.23456789012345E+19"),
        ("1e-400", "1E-400", "1E-400"),
        ("-2E-400", "-2E-400", "-2E-400"),
        ("0e-400", "0", "0.0"),
        ("1.5e3", "1500", "1500.0"),
        ("1e19", "10000000000000000000", "1e+19"),
        ("1e-05", "1e-05", "1e-05"),
    ],
)
def test_numbers_with_an_exponent_keep_their_digits(digits: str, identity: str, kept: str) -> None:
    columns = ColumnsConfig(id="id", keep=("k",))
    line = f'{{"id": {digits}, "text": "a", "k": {digits}}}'.encode()
    [document] = read_bytes(line, columns=columns).documents
    assert (document["document_id"], document["k"]) == (identity, kept)


CONSTANTS = [
    "9007199254740993E1",
    "1e-400",
    "123456789.5e10",
    "9" * 400,
    "8" * 5_000,
    "NaN",
    "Infinity",
    "null",
    '"1.0"',
    "-0",
    "1e400",
    "1E+5",
    r'"a\u0001"',
]
LITERALS = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=20).map(str),
    st.sampled_from(CONSTANTS),
)
KEPT = st.one_of(LITERALS, st.lists(LITERALS, max_size=3).map(lambda each: f"[{', '.join(each)}]"))
NEIGHBORS = ["{", "nonsense", r'{"text": "a\ud800"}', '{"text": NaN}', '{"text": "b"}']


@given(LITERALS, KEPT, st.sampled_from(NEIGHBORS))
@example("123456789012345678901", "1.10", "{")
def test_what_a_line_gives_does_not_depend_on_its_neighbors(
    identity: str, kept: str, neighbor: str
) -> None:
    columns = ColumnsConfig(id="id", keep=("kept",))
    line = f'{{"id": {identity}, "text": "a", "kept": {kept}}}'.encode()
    alone = read_bytes(line, columns=columns)
    beside = read_bytes(line + b"\n" + neighbor.encode() + b"\n", columns=columns)
    lenient = read_bytes(line[:-1] + rb', "unread": "\ud800"}', columns=columns)
    assert beside.documents[0] == alone.documents[0] == lenient.documents[0]


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (1e23, "1" + 23 * "0"),
        (-1e30, "-1" + 30 * "0"),
        (2.0**60, "1152921504606846976"),  # an integer of 64 bits that was stored as a float
        (2.0**64, "18446744073709552" + 3 * "0"),
    ],
)
def test_large_integral_floats(value: float, digits: str) -> None:
    assert integer_text(value) == digits


def test_large_floats_of_32_bits_have_their_shortest_text() -> None:
    assert shortest_float(float(np.float32(1e30))) == 1e30
    assert shortest_float(float(np.float32(123456792))) == 123456792
