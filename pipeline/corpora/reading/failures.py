"""Failures: why a row cannot become a document."""

import reprlib
from decimal import Decimal
from typing import Any, NamedTuple

from pipeline.corpora.stored.holes import HOLE_BYTES
from pipeline.schemas import RejectionReason

_JSON_NAMES = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    Decimal: "number",
    list: "list",
    dict: "object",
}
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class Failure(NamedTuple):
    """Why a row is rejected: one of the `RejectionReason`s, and a detail for a person."""

    reason: RejectionReason
    detail: str


class RowError(Exception):
    """Raised for a value that causes its row to be rejected."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(reason, detail)


def too_large(limit: int) -> Failure:
    """The failure of a row of more than `limit` bytes, which is not parsed."""
    return Failure("text_too_large", f"expected a row of at most {limit} bytes, got a larger one")


def with_hole() -> Failure:
    """The failure of a row within which a crash left zero bytes: it may be made of two rows."""
    return Failure(
        "malformed_row", f"expected a row, got {HOLE_BYTES} or more zero bytes within it"
    )


def describe(value: Any) -> str:
    """The JSON type of a value and the value, shortened for a message: `the string 'abc'`."""
    if value is None:
        return "null"
    kind = _JSON_NAMES.get(type(value), type(value).__name__)
    shown = _SHORT.repr(str(value))[1:-1] if isinstance(value, Decimal) else _SHORT.repr(value)
    return f"the {kind} {shown}"
