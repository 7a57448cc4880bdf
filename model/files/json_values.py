"""JSON that anybody may have written -> plain values.

Python's own parser takes what other programs refuse, or what later code cannot hold: NaN, numbers
of thousands of digits, halves of surrogate pairs, a key twice, nesting that ends in a
RecursionError when the values are written again.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from model.config import ConfigError

MAX_DEPTH = 50
# A small object takes 200 bytes of memory but 7 of text, so values are counted first.
MAX_PARTS = 4_000_000  # strings, fractions, objects and lists
MAX_VALUES = 10_000_000
MAX_DIGITS = 40  # of an integer


def parse_json(content: bytes | str, *, where: str) -> Any:
    """The value of a JSON text.

    Args:
        content: the text, in UTF-8 if it is bytes; its size is limited by the caller.
        where: what the text was read from, for the message.

    Raises:
        ConfigError: if it is not JSON, or holds too many values or one of the kinds above. The
            message is one line.
    """
    try:
        text = content.decode() if isinstance(content, bytes) else content
        _check_parts(text)
        value = json.loads(
            text,
            parse_int=_read_integer,
            parse_float=_read_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
        _check_values(value)
    except RecursionError:
        problem = _too_deep()
    except UnicodeDecodeError as error:
        problem = f"bytes that are not UTF-8 from byte {error.start}"
    except ValueError as error:
        problem = str(error)
    else:
        return value
    raise ConfigError(f"{where}: expected JSON, got {problem}. The file is damaged.") from None


def _check_parts(text: str) -> None:
    if text.count(",") > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} values")
    # A string has two quotes, an object a colon for each value, a fraction a point.
    parts = text.count('"') // 2 + sum(text.count(mark) for mark in ":[{.")
    if parts > MAX_PARTS:
        raise ValueError(f"more than {MAX_PARTS:,} parts")


def _read_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits):,} digits")
    return int(digits)


def _read_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:40]}, which is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is no number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:100]!r} twice")
    return values


def _check_values(value: Any) -> None:
    """Refuses values that are nested too deeply, and text that UTF-8 cannot hold."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = list(_below(level))
        if not level:
            return
    raise ValueError(_too_deep())


def _below(values: list[Any]) -> Iterator[Any]:
    """The values inside those of one level; numbers are left out."""
    for value in values:
        kind = type(value)
        if kind is list:
            yield from (each for each in value if type(each) is not float and type(each) is not int)
        elif kind is dict:
            yield from value
            yield from value.values()
        elif kind is str and not value.isascii():
            value.encode()  # fails for half of a surrogate pair


def _too_deep() -> str:
    return f"values that are nested more than {MAX_DEPTH} deep"
