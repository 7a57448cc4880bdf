"""Arrow columns -> the Python values that `check_rows` checks."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpora.reading.numerals.digits import shortest_float

_Convert = Callable[[Any], Any]
_UUID_BYTES = 16


def python_values(array: pa.Array, *, uuids: bool = True) -> list[Any]:
    """The values of a column.

    Dates and times become strings, with the zone of their column; a float32 becomes the float of
    its shortest text; a map becomes a dictionary; strings that are not UTF-8 become bytes.

    Args:
        array: the column.
        uuids: whether 16 bytes of fixed size are a UUID, in 36 characters.
    """
    if pa.types.is_dictionary(array.type) and not _is_text(array.type.value_type):
        array = array.dictionary_decode()
    kind = array.type
    if _is_date_or_time(kind):
        # Arrow's dates have a larger range and a finer resolution than Python's.
        return _temporal_strings(array).to_pylist()
    convert = _converter(kind) if uuids or not pa.types.is_fixed_size_binary(kind) else None
    try:
        values = array.to_pylist()
    except UnicodeDecodeError:  # Arrow does not check that the strings of a file are UTF-8
        values = [_python_value(scalar) for scalar in array]
    except (ValueError, OverflowError, KeyError):  # dates that Python lacks, in a list or a struct
        values = array.cast(_replace(kind, _in_utc)).cast(_replace(kind, _as_string)).to_pylist()
    return values if convert is None else [_unless_null(convert, value) for value in values]


def _is_date_or_time(kind: pa.DataType) -> bool:
    return pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _temporal_strings(array: pa.Array) -> pa.Array:
    """Dates and times as strings; those with a zone are local times with their offset from UTC."""
    kind = array.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        return array.cast(pa.string())
    try:
        strings = array.cast(pa.string())
    except pa.ArrowInvalid:  # a zone that this machine does not know
        strings = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.string())
    strings = pc.replace_substring_regex(strings, "Z$", "+00:00")
    return pc.replace_substring_regex(strings, r"([+-]\d\d)(\d\d)$", r"\1:\2")


def _in_utc(kind: pa.DataType) -> pa.DataType:
    with_zone = pa.types.is_timestamp(kind) and kind.tz is not None
    return pa.timestamp(kind.unit, "UTC") if with_zone else kind


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
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        return shortest_float
    return None


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
