"""Reads a section of the configuration from plain values and explains what is wrong with them."""

import dataclasses
import difflib
import json
import math
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pydantic
import yaml
from pydantic.fields import FieldInfo

from model.config import ConfigError

SectionT = TypeVar("SectionT")

MAX_PROBLEMS = 100  # named in one message


def load_section(cls: type[SectionT], values: Mapping[str, Any], *, where: str) -> SectionT:
    """Builds the section `cls` from a plain mapping.

    Args:
        cls: a section class of `model.config` or one composed of them.
        values: the mapping as read from YAML or JSON.
        where: what the values were read from, for the message.

    Raises:
        ConfigError: one line: the dotted key, what was expected, what came,
            where to correct it. All problems are named, joined by "; ".
    """
    adapter = pydantic.TypeAdapter(cls)
    try:
        # Strict JSON mode accepts nested mappings, and lists for tuples, but not "1" for 1.
        # `default=str`: YAML reads 2026-11-20 as a date, but the user may mean it as a name.
        return adapter.validate_json(json.dumps(values, default=str), strict=True)
    except pydantic.ValidationError as error:
        problems = "; ".join(_problems(cls, error))
        raise ConfigError(f"{problems}. Edit {where} or pass --set KEY=VALUE.") from None


def _problems(cls: type, error: pydantic.ValidationError) -> Iterator[str]:
    """Every problem once, as `key: expected ..., got ...`."""
    given: list[str] = []
    errors = error.errors()[:MAX_PROBLEMS]
    paths = [problem["loc"] for problem in errors]
    for path, problem in zip(paths, errors, strict=True):
        # pydantic counts an item with a bad value as missing, so it also calls the list too short.
        inside = any(other[: len(path)] == path != other for other in paths)
        if inside and problem["type"] == "too_short":
            continue
        text = _describe(cls, problem)
        # A value of a union, such as `int | Literal["auto"]`, fails once for each of its types. The
        # first message may end with a hint that the others lack.
        if not any(earlier.startswith(text) for earlier in given):
            given.append(text)
            yield text


def _describe(cls: type, problem: Mapping[str, Any]) -> str:
    """One pydantic problem as `key: expected ..., got ...`."""
    path = [str(part) for part in problem["loc"]]
    if problem["type"] == "json_invalid":  # nested too deeply, or half of a surrogate pair
        return f"config: expected values that JSON can hold, got {problem['ctx']['error']}"
    if problem["type"] == "unexpected_keyword_argument":
        return f"{'.'.join(path)}: unknown key{_nearest(cls, path)}"
    annotation, depth = _annotation_at(cls, path)
    key = ".".join(path[:depth]) or "config"
    if problem["type"] in ("missing", "missing_argument"):
        return f"{key}: expected a value, got none"
    if problem["type"] == "value_error":
        # Raised by __post_init__, which knows the field but not the section above it.
        return f"{key}.{problem['ctx']['error']}" if path else str(problem["ctx"]["error"])
    expected = str(problem["msg"]).removeprefix("Input should be ")
    if problem["type"] != "finite_number":
        expected = _expected(annotation) or expected
    got = problem["input"]
    return f"{key}: expected {expected}, got {json.dumps(got)}{_hint(problem['type'], got)}"


def _annotation_at(cls: Any, path: list[str]) -> tuple[Any, int]:
    """The annotation of the value at a path, and how many parts of the path lead to it.

    The path may be longer: pydantic appends the type of a union that it tried.
    """
    annotation = cls
    for depth, part in enumerate(path):
        inner = _without_none(annotation)
        if dataclasses.is_dataclass(inner):
            annotation = get_type_hints(inner, include_extras=True).get(part)
        elif get_origin(inner) is tuple and part.isdigit():  # an item of tuple[Item, ...]
            annotation = get_args(inner)[0]
        else:
            return annotation, depth
    return annotation, len(path)


def _without_none(annotation: Any) -> Any:
    """The type alone: without `| None` and without what `Annotated` adds."""
    alternatives = [item for item in _alternatives(annotation) if item is not type(None)]
    if len(alternatives) != 1:
        return annotation
    (only,) = alternatives
    return get_args(only)[0] if get_origin(only) is Annotated else only


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if union else (annotation,)


def _expected(annotation: Any) -> str | None:
    """The values that an annotation accepts, in words; None if pydantic's message is as clear."""
    words = []
    for item in _alternatives(annotation):
        if item is type(None):
            words.append("null")
        elif get_origin(item) is Literal and len(_alternatives(annotation)) > 1:
            words += [repr(value) for value in get_args(item)]
        else:
            words.append(_expected_alone(item) or "")
    return " or ".join(words) if all(words) else None


def _expected_alone(annotation: Any) -> str | None:
    """Like `_expected`, for an annotation that is not a union."""
    base, *metadata = get_args(annotation) if get_origin(annotation) is Annotated else [annotation]
    fields = [item for item in metadata if isinstance(item, FieldInfo)]
    for field in fields:
        if field.description is not None:
            return field.description
    noun = {int: "an integer", float: "a number"}.get(base)
    if noun is None:
        return None
    limits = {
        name: getattr(item, name)
        for field in fields
        for item in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(item, name, None) is not None
    }
    return f"{noun}{_range(limits)}"


def _range(limits: Mapping[str, float]) -> str:
    """`{"ge": 0, "lt": 1}` -> " in [0, 1)"; `{"gt": 0}` -> " > 0"."""
    low = next((name for name in ("ge", "gt") if name in limits), None)
    high = next((name for name in ("le", "lt") if name in limits), None)
    if low and high:
        left, right = "[" if low == "ge" else "(", "]" if high == "le" else ")"
        return f" in {left}{limits[low]}, {limits[high]}{right}"
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return "".join(f" {signs[name]} {limit}" for name, limit in limits.items())


def _hint(kind: str, got: object) -> str:
    """What to write where YAML reads a number as text, such as 1e-3 or "7", or text as a number."""
    if kind == "string_type" and isinstance(got, bool | int | float):
        noun = "true or false" if isinstance(got, bool) else "a number"
        quoted = f'"{json.dumps(got)}"'
        return f", which YAML reads as {noun} (text needs quotes: {quoted}, in a shell '{quoted}')"
    if not isinstance(got, str):
        return ""
    try:
        number = {"int_type": int, "float_type": float}[kind](got)
    except (KeyError, ValueError):
        return ""
    if not math.isfinite(number):
        return ""
    # PyYAML writes the number in a form that it reads as a number: with an exponent, the number
    # needs a decimal point and the exponent needs a sign.
    written = yaml.safe_dump(number).split("\n")[0]
    return f", which YAML reads as text (write {written})"


def _nearest(cls: type, path: list[str]) -> str:
    """A hint naming the valid key closest to the last part of `path`."""
    section = _without_none(_annotation_at(cls, path[:-1])[0])
    if not dataclasses.is_dataclass(section):
        return ""
    names = [field.name for field in dataclasses.fields(section)]
    close = difflib.get_close_matches(path[-1], names, n=1)
    if close:
        return f" (did you mean {'.'.join([*path[:-1], close[0]])}?)"
    # A name that only one key has, below any section, was probably meant.
    whole = [each for each in _all_keys(cls) if each[-1] == path[-1]]
    if len(path) == 1 and whole:
        return f" (did you mean {' or '.join('.'.join(each) for each in whole[:3])}?)"
    return f", expected one of {', '.join(names)}"


def _all_keys(cls: Any) -> Iterator[list[str]]:
    """The path of every key of a section and of the sections in it."""
    for name, annotation in get_type_hints(cls, include_extras=True).items():
        yield [name]
        inner = _without_none(annotation)
        if dataclasses.is_dataclass(inner):
            yield from ([name, *rest] for rest in _all_keys(inner))
