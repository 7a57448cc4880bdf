"""Arrow columns -> the Python values that `check_rows` checks.

No value is written that is not right: what Arrow or Python cannot hold rejects its row.
"""

import dataclasses
import functools
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.numerals.digits import shortest_float, shortest_half

_Convert = Callable[[Any], Any]
_UUID_BYTES = 16
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_OUT_OF_RANGE = "<value out of range: "  # what Arrow makes of a date that it cannot write


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A value of a column that has no right text; `detail` says what was expected and found."""

    detail: str


def python_values(array: pa.Array, *, uuids: bool = True) -> list[Any]:
    """The values of a column.

    Dates and times become strings, with the zone of their column, and durations such as
    `1 day, 0:00:00`; a float32 or float16 becomes the float of its shortest text; a map becomes a
    dictionary; strings that are not UTF-8 become bytes; what cannot be read is `Unreadable`.

    Args:
        array: the column.
        uuids: whether 16 bytes of fixed size are a UUID, in 36 characters.
    """
    if pa.types.is_dictionary(array.type) and not _is_text(array.type.value_type):
        array = array.dictionary_decode()
    kind = array.type
    convert = _converter(kind) if uuids or not pa.types.is_fixed_size_binary(kind) else None
    try:
        values = _listed(array)
    except (ValueError, OverflowError, KeyError, pa.ArrowException):
        values = [_alone(array.slice(row, 1)) for row in range(len(array))]
    return values if convert is None else [_converted(convert, value) for value in values]


def interval_values(array: pa.Array) -> list[str | None]:
    """The values of a column of Parquet's INTERVAL, 12 bytes each: months, days, milliseconds."""
    return [value if value is None else _interval_text(value) for value in array.to_pylist()]


def _listed(array: pa.Array) -> list[Any]:
    """The values of a column, not yet converted: durations are integers."""
    kind = array.type
    if _is_date_or_time(kind):
        # Arrow's dates have a larger range and a finer resolution than Python's.
        return _temporal_strings(array).to_pylist()
    held = _replace(kind, _as_arrow_holds)
    if held != kind:
        array, kind = array.cast(held), held
    try:
        return array.to_pylist()
    except UnicodeDecodeError:  # Arrow does not check that the strings of a file are UTF-8
        return [_python_value(scalar) for scalar in array]
    except (ValueError, OverflowError, KeyError):  # dates that Python lacks, in a list or a struct
        return array.cast(_replace(kind, _in_utc)).cast(_replace(kind, _as_string)).to_pylist()


def _alone(array: pa.Array) -> Any:
    """The value of the only row of a column."""
    try:
        return _listed(array)[0]
    except (ValueError, OverflowError, KeyError, pa.ArrowException) as error:
        return Unreadable(f"expected a {array.type} that can be read, got an error: {error}")


def _converted(convert: _Convert, value: Any) -> Any:
    if value is None or type(value) is Unreadable:
        return value
    try:
        return convert(value)
    except OverflowError as error:
        return Unreadable(str(error))


def _is_date_or_time(kind: pa.DataType) -> bool:
    return pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _temporal_strings(array: pa.Array) -> pa.Array:
    """Dates and times as strings; those with a zone are local times with their offset from UTC."""
    kind = array.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        return array.cast(pa.string())
    in_utc = array.cast(_in_utc(kind)).cast(pa.string())
    try:
        strings = array.cast(pa.string())
    except pa.ArrowInvalid:  # a zone that this machine does not know
        strings = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.string())
    strings = pc.replace_substring_regex(strings, "Z$", "+00:00")
    strings = pc.replace_substring_regex(strings, r"([+-]\d\d)(\d\d)$", r"\1:\2")
    return pc.if_else(pc.starts_with(in_utc, _OUT_OF_RANGE), in_utc, strings)


def _in_utc(kind: pa.DataType) -> pa.DataType:
    """The type without a zone; Arrow writes dates that are out of range wrongly with one."""
    with_zone = pa.types.is_timestamp(kind) and kind.tz is not None
    return pa.timestamp(kind.unit) if with_zone else kind


def _as_arrow_holds(kind: pa.DataType) -> pa.DataType:
    """The type for values that Python cannot hold: long durations, and times beyond a day."""
    if pa.types.is_duration(kind):
        return pa.int64()
    return pa.string() if pa.types.is_time(kind) else kind


def _as_string(kind: pa.DataType) -> pa.DataType:
    return pa.string() if _is_date_or_time(kind) else kind


def _replace(kind: pa.DataType, leaf: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """The type with `leaf` applied to the types that lists, structs and maps hold."""

    def replaced(field: pa.Field) -> pa.Field:
        return field.with_type(_replace(field.type, leaf))

    if pa.types.is_struct(kind):
        return pa.struct([replaced(field) for field in kind.fields])
    if pa.types.is_map(kind):
        return pa.map_(replaced(kind.key_field), replaced(kind.item_field))
    if pa.types.is_large_list(kind):
        return pa.large_list(replaced(kind.value_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(replaced(kind.value_field), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(replaced(kind.value_field))
    if pa.types.is_dictionary(kind) and leaf(kind.value_type) != kind.value_type:
        return leaf(kind.value_type)
    return leaf(kind)


def _converter(kind: pa.DataType) -> _Convert | None:
    """What makes the value of a field from what `to_pylist` gives; None where that is the value."""
    if pa.types.is_struct(kind):
        fields = {field.name: _converter(field.type) for field in kind.fields}
        return _convert_struct(fields) if any(fields.values()) else None
    if pa.types.is_map(kind):
        return _convert_map(_converter(kind.key_type), _converter(kind.item_type))
    if hasattr(kind, "value_type"):  # lists of all kinds, dictionaries
        convert = _converter(kind.value_type)
        return (
            convert if convert is None or pa.types.is_dictionary(kind) else _convert_list(convert)
        )
    if isinstance(kind, pa.UuidType):
        return str
    if isinstance(kind, pa.BaseExtensionType):
        return _converter(kind.storage_type)
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == _UUID_BYTES:
        return _uuid_text
    if _is_date_or_time(kind):
        return functools.partial(_in_range, kind)
    if pa.types.is_duration(kind):
        return functools.partial(_duration_text, _NANOSECONDS[kind.unit])
    if pa.types.is_interval(kind):
        return _interval_of_parts
    if pa.types.is_float16(kind):
        return shortest_half
    return shortest_float if pa.types.is_float32(kind) else None


def _in_range(kind: pa.DataType, value: Any) -> Any:
    """A date or time that Arrow wrote as a string, or that is a value of Python.

    Raises:
        OverflowError: if Arrow could not write it.
    """
    if type(value) is not str:
        return value
    if value.startswith(_OUT_OF_RANGE):
        number = value.removeprefix(_OUT_OF_RANGE).rstrip(">")
        raise OverflowError(
            f"expected a {kind} in its range, got {number}; it may have been stored in another unit"
        )
    with_zone = pa.types.is_timestamp(kind) and kind.tz is not None
    return f"{value}+00:00" if with_zone and value[-6] not in "+-" else value


def _duration_text(nanoseconds: int, ticks: int) -> str:
    """A number of ticks of so many nanoseconds, as Python writes a `timedelta`."""
    days, rest = divmod(ticks * nanoseconds, 86_400 * 10**9)
    seconds, fraction = divmod(rest, 10**9)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if fraction:
        text += f".{fraction:09}" if fraction % 1000 else f".{fraction // 1000:06}"
    return f"{_counted(days, 'day')}, {text}" if days else text


def _interval_of_parts(value: tuple[int, int, int]) -> str:
    """Months, days and nanoseconds, such as `3 months, 1 day, 0:00:00`."""
    months, days, nanoseconds = value
    parts = [_counted(months, "month")] if months else []
    parts += [_counted(days, "day")] if days else []
    return ", ".join([*parts, _duration_text(1, nanoseconds)])


def _interval_text(value: bytes) -> str:
    months, days, milliseconds = struct.unpack("<III", value)
    return _interval_of_parts((months, days, milliseconds * 10**6))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if abs(number) == 1 else 's'}"


def _unless_null(convert: _Convert | None, value: Any) -> Any:
    return value if value is None or convert is None else convert(value)


def _convert_struct(fields: dict[str, _Convert | None]) -> _Convert:
    def convert(value: dict[str, Any]) -> dict[str, Any]:
        return {name: _unless_null(fields[name], each) for name, each in value.items()}

    return convert


def _convert_list(of_element: _Convert) -> _Convert:
    def convert(value: list[Any]) -> list[Any]:
        return [_unless_null(of_element, each) for each in value]

    return convert


def _convert_map(of_key: _Convert | None, of_item: _Convert | None) -> _Convert:
    """Pairs -> a dictionary, or the pairs where a key occurs twice or is a list or a struct."""

    def convert(value: list[tuple[Any, Any]]) -> Any:
        pairs = [(_unless_null(of_key, key), _unless_null(of_item, item)) for key, item in value]
        try:
            found = dict(pairs)
        except TypeError:
            return pairs
        return found if len(found) == len(pairs) else pairs

    return convert


def _uuid_text(value: bytes) -> str:
    return str(UUID(bytes=value))


def _python_value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        string = scalar.value if isinstance(scalar, pa.DictionaryScalar) else scalar
        if isinstance(string, pa.StringScalar):
            return string.as_buffer().to_pybytes()
        return b"\xff"  # in a list or a struct: any bytes that do not decode
