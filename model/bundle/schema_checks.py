"""Checks plain values against a schema, and names the first key that does not fit.

pydantic collects every problem before it raises. A list or a mapping of a million wrong values
would take gigabytes, so these are checked value by value up to the first problem.
"""

import reprlib
from typing import Annotated, Any, NotRequired

import pydantic
from pydantic import AfterValidator, FailFast, Field, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType, TypedDict

from model.bundle.errors import BundleError

Count: Any = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
MAX_NUMBER = 1e15  # far above any metric, and sums and products of such numbers are finite
Number: Any = Annotated[
    float, Field(strict=True, allow_inf_nan=False, ge=-MAX_NUMBER, le=MAX_NUMBER)
]
Text: Any = Annotated[str, Field(strict=True)]


def object_of(*, closed: bool = False, **fields: Any) -> Any:
    """The schema of an object with these keys; a value of another type is not converted.

    Args:
        closed: whether other keys are refused. They are ignored otherwise, as a newer release may
            have written them.
        fields: the schema of each key.
    """
    make: Any = TypedDict  # type checkers expect the keys themselves in its call
    kind = make("object", fields)
    extra: Any = "forbid" if closed else "ignore"
    kind.__pydantic_config__ = pydantic.ConfigDict(strict=True, extra=extra)
    return kind


def optional(kind: Any) -> Any:
    """The schema of a key that may be missing."""
    return NotRequired[kind]


def or_null(kind: Any) -> Any:
    """The schema of a value that may be null."""
    return kind | None


def list_of(kind: Any) -> Any:
    """The schema of a list of values of a kind."""
    # By a name, because pydantic's mark cannot be hashed, which `or_null` needs.
    return TypeAliasType("list", Annotated[list[kind], FailFast()])


def values_of(kind: Any, *, at_most: int | None = None) -> Any:
    """The schema of a mapping from text to values of a kind."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def check(values: dict[str, Any]) -> dict[str, Any]:
        if at_most is not None and len(values) > at_most:
            raise ValueError(f"expected at most {at_most:,} keys, got {len(values):,}")
        for key, value in values.items():
            try:
                adapter.validate_python(value, strict=True)
            except ValidationError as error:
                raise _NestedError(key, describe_first(error)) from None
        return values

    return Annotated[dict[str, Any], AfterValidator(check)]


class _NestedError(ValueError):
    """A problem below a key of a mapping."""

    def __init__(self, key: str, problem: tuple[str, str]) -> None:
        super().__init__(key, problem)
        self.key = key
        self.problem = problem


def check_schema(schema: TypeAdapter[Any], values: Any, *, where: str) -> None:
    """Checks values against a schema.

    Raises:
        BundleError: naming `where` and the first key that does not fit, on one line.
    """
    try:
        schema.validate_python(values, strict=True)
    except ValidationError as error:
        key, problem = describe_first(error)
        raise BundleError(
            f"{where}: {key or 'the whole'}: {problem}. Copy the model directory again, or train "
            "the model again."
        ) from None


def describe_first(error: pydantic.ValidationError) -> tuple[str, str]:
    """The key of the first problem and what is wrong with it."""
    first = error.errors(include_url=False)[0]
    path = [_shown(str(part), 60) for part in first["loc"]]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, _NestedError):
        key, problem = cause.problem
        path += [_shown(cause.key, 60), *([key] if key else [])]
        return ".".join(path), problem
    if cause is not None:
        return ".".join(path), str(cause)
    if first["type"] == "missing":
        return ".".join(path), "expected a value, got none"
    if first["type"] == "extra_forbidden":
        return ".".join(path), "expected no such key"
    expected = first["msg"].removeprefix("Input should be ")
    return ".".join(path), f"expected {expected}, got {_shown(reprlib.repr(first['input']), 60)}"


def _shown(text: str, length: int) -> str:
    """The beginning of a text, printable and on one line."""
    beginning = text[:length] + ("..." if len(text) > length else "")
    return beginning if beginning.isprintable() else ascii(beginning)[1:-1]
