"""Numbers that keep their digits, whichever parser met them.

A float holds 15 digits for certain. A JSON parser that makes a float of a longer number changes it,
so numbers of more digits are read as `Decimal`, and integers of any size as integers.
"""

import json
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np

Number = int | float | Decimal

_MAX_DIGITS = 4_000  # Python converts integers of at most 4,300 digits
_LEAST = -100  # smaller numbers are written with an exponent
# A number of fewer characters, without sign and exponent, has at most 15 digits and a point.
_LONG = 17
# Integers of 64 bits may have been stored as floats. Larger floats were written with an exponent.
_LARGE = 2.0**64
_DIGITS = bytes.maketrans(b"123456789.", b"0000000000")


# Numbers with an exponent that a float may change: 16 digits and more; integers of 64 bits from 9
# digits on; those that are too small for a float.
_EXPONENT = re.compile(
    rb"(?<![^\s:,\[])-?"
    rb"(?:[0-9.]{16,}[eE]|[0-9.]{9,}[eE]\+?[0-9]|[0-9.]+[eE][-+]?[0-9]{3})"
)


def may_lose_digits(line: bytes) -> bool:
    """Whether JSON may hold a number that a float changes.

    True also for such a number within a string.
    """
    if b"0" * _LONG in line.translate(_DIGITS):
        return True
    return _EXPONENT.search(line) is not None


def parse_json(text: str) -> Any:
    """The value of a JSON text, with all digits of its numbers.

    It also takes NaN, Infinity and -Infinity, and control characters in strings.

    Raises:
        json.JSONDecodeError: for another text.
        RecursionError: for a text that is nested too deeply.
    """
    return json.loads(text, strict=False, parse_int=_read_integer, parse_float=_read_fraction)


def is_nan(value: Any) -> bool:
    """Whether the value is a number that is not a number, which pandas writes for no value."""
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float) and math.isnan(value)


def is_finite(value: Number) -> bool:
    """Whether the value is neither infinite nor NaN; an integer of any size is finite."""
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or math.isfinite(value)


def integer_text(value: Number) -> str | None:
    """The digits of a finite number that is an integer, "1" for 1.0; None for a fraction.

    Of a float beyond 64 bits they are those of its shortest text: 1 and 23 zeros for 1e23.
    """
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not value.is_integer():
            return None
        if abs(value) < _LARGE:
            return str(int(value))
        value = Decimal(repr(value))
    if value != value.to_integral_value():
        return None
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent > _MAX_DIGITS:
        return str(value)  # thousands of zeros
    return format(value.to_integral_value(), "f") if value else "0"


def number_text(value: Number) -> str:
    """A finite number as it was written, or as the shortest text of the same float."""
    if not isinstance(value, Decimal):
        return repr(value)
    exponent = value.as_tuple().exponent
    plain = isinstance(exponent, int) and -_MAX_DIGITS < exponent <= 0
    plain = plain and value.adjusted() >= _LEAST
    return format(value, "f") if plain else str(value)


def fraction_text(value: Number) -> str:
    """The text of a finite number without the zeros that change nothing: "4.5" for 4.50."""
    text = number_text(value)
    has_zeros = isinstance(value, Decimal) and "." in text and "E" not in text
    return text.rstrip("0").rstrip(".") if has_zeros else text


def shortest_float(value: float) -> float:
    """A float32 as the float64 of its shortest text: 0.1, not 0.10000000149011612.

    An integral float32 of up to 64 bits keeps all its digits.
    """
    exact = not math.isfinite(value) or (value.is_integer() and abs(value) < _LARGE)
    return value if exact else float(str(np.float32(value)))


def shortest_half(value: float) -> float:
    """A float16 as the float64 of its shortest text: 0.1, not 0.0999755859375."""
    exact = not math.isfinite(value) or float(value).is_integer()
    return float(value) if exact else float(str(np.float16(value)))


def _read_integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _MAX_DIGITS else Decimal(digits)


def _read_fraction(digits: str) -> float | Decimal:
    number = float(digits)
    mantissa, exponent, _ = digits.lower().partition("e")
    if not exponent and len(mantissa.lstrip("-")) < _LONG:
        return number
    exact = Decimal(digits)
    if not math.isfinite(number) or Decimal(repr(number)) != exact:
        return exact
    # An integer of 64 bits is written with the digits of the float, see `integer_text`.
    is_same = not number.is_integer() or abs(number) >= _LARGE or int(number) == exact
    return number if is_same else exact
