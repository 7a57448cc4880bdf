"""The header of a page of Parquet: Arrow has no way to ask for it before it makes the page.

It is a struct in Thrift's compact protocol, which is read here as far as a header needs it:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import dataclasses
from typing import Any

_STOP, _TRUE, _FALSE, _BYTE, _INT_16, _INT_32, _INT_64, _DOUBLE, _BINARY = range(9)
_STRUCT = 12
_MOST_DEEP = 64  # as in Thrift itself
_32_BITS = (1 << 32) - 1

_KIND, _UNFOLDED, _STORED = 1, 2, 3  # fields of the header
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3  # kinds of pages
# The field that only pages of a kind have, and within it the field of the encoding.
_OF_KIND = {_DATA: (5, 2), _DICTIONARY: (7, 2), _DATA_V2: (8, 4)}
_VALUES = 1
_DELTA_STRINGS = 7  # the encoding where each value may begin with all of the value before
_MOST_FIELDS = 1_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageHeader:
    """What the header of a page says of it.

    Attributes:
        size: bytes of the header itself.
        stored: bytes of the page in the file.
        unfolded: bytes of the page when decompressed.
        values: how many values it has, with nulls and those of a dictionary.
        is_dictionary: whether its values are those that other pages refer to.
        repeats_values: whether its values, or parts of them, may come again and again in rows.
    """

    size: int
    stored: int
    unfolded: int
    values: int
    is_dictionary: bool
    repeats_values: bool


def read_page_header(data: bytes) -> PageHeader | None:
    """The header that data begin with; None if it goes on after them.

    Raises:
        ValueError: if the data are no header.
    """
    try:
        fields, size = _struct(data, 0, 0)
    except IndexError:
        return None
    kind, unfolded, stored = (_count(fields, each) for each in (_KIND, _UNFOLDED, _STORED))
    values, encoding = 0, None
    if kind in _OF_KIND:
        of_kind, encoding_field = _OF_KIND[kind]
        inner = fields.get(of_kind)
        if not isinstance(inner, dict):
            raise ValueError("a header of a page without what belongs to its kind")
        values, encoding = _count(inner, _VALUES), inner.get(encoding_field)
    return PageHeader(
        size=size,
        stored=stored,
        unfolded=unfolded,
        values=values,
        is_dictionary=kind == _DICTIONARY,
        repeats_values=kind == _DICTIONARY or encoding == _DELTA_STRINGS,
    )


def _count(fields: dict[int, Any], number: int) -> int:
    """A field that a header must have.

    Raises:
        ValueError: if there is none, or one below 0.
    """
    value = fields.get(number)
    if not isinstance(value, int) or value < 0:
        raise ValueError("a header of a page without one of its numbers")
    return value


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """The fields by their numbers, and where the struct ends; other than numbers are None."""
    if depth > _MOST_DEEP:
        raise ValueError("a header of a page that is nested too deeply")
    fields: dict[int, Any] = {}
    number = 0
    left = _MOST_FIELDS
    while (mark := data[at]) & 15 != _STOP:
        at, left = at + 1, left - 1
        kind = mark & 15
        value: Any = None
        if mark >> 4:
            number += mark >> 4
        else:
            number, at = _integer(data, at)
        if kind == _STRUCT:
            value, at = _struct(data, at, depth + 1)
        elif kind in (_INT_16, _INT_32, _INT_64):
            value, at = _integer(data, at)
        elif kind == _BINARY:
            size, at = _varint(data, at)
            at += size & _32_BITS
        elif kind in (_BYTE, _DOUBLE):
            at += 1 if kind == _BYTE else 8
        elif kind not in (_TRUE, _FALSE) or not left:  # no header has lists or maps
            raise ValueError("a header of a page with a field of another kind")
        if kind in (_INT_32, _STRUCT):
            fields[number] = value
    return fields, at + 1


def _integer(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    value &= _32_BITS  # as Thrift cuts it
    return value >> 1 ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 128:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if shift > 63:
            raise ValueError("a header of a page with a number that does not end")
    return value | data[at] << shift, at + 1
